package main

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

// database is Grafana's own: users, their sessions, and the dashboards that people saved.
type database struct {
	*sql.DB
	kind string
}

// Several replicas may start at once on one PostgreSQL: whoever holds this lock makes the tables.
const migrationLock = 1303

var schema = []string{
	`CREATE TABLE IF NOT EXISTS "user" (
		id {{serial}}, login TEXT NOT NULL UNIQUE, password TEXT NOT NULL, salt TEXT NOT NULL,
		is_admin BOOLEAN NOT NULL, created TIMESTAMP NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS user_auth_token (
		auth_token TEXT PRIMARY KEY, user_id BIGINT NOT NULL, expires_at BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS dashboard (
		id {{serial}}, uid TEXT NOT NULL UNIQUE, title TEXT NOT NULL, version BIGINT NOT NULL,
		data TEXT NOT NULL, updated TIMESTAMP NOT NULL)`,
}

var placeholder = regexp.MustCompile(`\?`)

func openDatabase(ctx context.Context, s databaseSettings) (*database, error) {
	driver, serial := "sqlite", "INTEGER PRIMARY KEY AUTOINCREMENT"
	if s.kind == "postgres" {
		driver, serial = "postgres", "BIGSERIAL PRIMARY KEY"
	}
	handle, err := sql.Open(driver, s.dsn)
	if err != nil {
		return nil, fmt.Errorf("database %s: %w", s.name, err)
	}
	db := &database{DB: handle, kind: s.kind}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if err := db.migrate(ctx, serial); err != nil {
		handle.Close()
		return nil, fmt.Errorf("database %s cannot be reached or written: %w", s.name, err)
	}
	return db, nil
}

func (d *database) migrate(ctx context.Context, serial string) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if d.kind == "postgres" {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock); err != nil {
			return err
		}
	}
	for _, statement := range schema {
		if _, err := tx.ExecContext(ctx, strings.ReplaceAll(statement, "{{serial}}", serial)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// bind turns "?" into the numbered placeholders that PostgreSQL wants.
func (d *database) bind(query string) string {
	if d.kind != "postgres" {
		return query
	}
	count := 0
	return placeholder.ReplaceAllStringFunc(query, func(string) string {
		count++
		return fmt.Sprintf("$%d", count)
	})
}

func (d *database) exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := d.ExecContext(ctx, d.bind(query), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (d *database) row(ctx context.Context, query string, args ...any) *sql.Row {
	return d.QueryRowContext(ctx, d.bind(query), args...)
}

func (d *database) count(ctx context.Context, table string) (float64, error) {
	var number float64
	err := d.row(ctx, `SELECT COUNT(*) FROM "`+table+`"`).Scan(&number)
	return number, err
}
