package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// saved reads the dashboards that people saved; provisioned ones are not among them.
func (s *server) saved(ctx context.Context) ([]dashboard, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT uid, title, version, data FROM dashboard ORDER BY title, uid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []dashboard
	for rows.Next() {
		board, err := scanDashboard(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, board)
	}
	return all, rows.Err()
}

func (s *server) savedByUID(ctx context.Context, uid string) (dashboard, error) {
	return scanDashboard(s.db.row(ctx, `SELECT uid, title, version, data FROM dashboard WHERE uid = ?`, uid))
}

func scanDashboard(row interface{ Scan(...any) error }) (dashboard, error) {
	board := dashboard{editable: true}
	var data string
	if err := row.Scan(&board.uid, &board.title, &board.version, &data); err != nil {
		return board, err
	}
	return board, json.Unmarshal([]byte(data), &board.body)
}

func (s *server) showDashboard(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if board := s.provisioned(uid); board != nil {
		answer(w, http.StatusOK, board.response(true))
		return
	}
	board, err := s.savedByUID(r.Context(), uid)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		answer(w, http.StatusNotFound, message("Dashboard not found"))
	case err != nil:
		s.failed(w, r, err)
	default:
		answer(w, http.StatusOK, board.response(false))
	}
}

func (d dashboard) response(provisioned bool) map[string]any {
	return map[string]any{
		"meta":      map[string]any{"provisioned": provisioned, "canSave": d.editable, "folderTitle": d.folder, "version": d.version, "url": "/d/" + d.uid},
		"dashboard": d.body,
	}
}

func (s *server) saveDashboard(w http.ResponseWriter, r *http.Request) {
	var given struct {
		Dashboard json.RawMessage
		Overwrite bool
	}
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		answer(w, http.StatusBadRequest, message("bad request data"))
		return
	}
	board, err := parseDashboard(given.Dashboard)
	if err != nil {
		answer(w, http.StatusBadRequest, message(err.Error()))
		return
	}
	if board.uid == "" {
		board.uid = strings.ToLower(rand.Text()[:14])
		board.body["uid"] = board.uid
	}
	if kept := s.provisioned(board.uid); kept != nil && !kept.editable {
		answer(w, http.StatusBadRequest, message("Cannot save provisioned dashboard"))
		return
	}
	existing, err := s.savedByUID(r.Context(), board.uid)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		s.failed(w, r, err)
		return
	}
	if based, _ := board.body["version"].(float64); existing.version > int64(based) && !given.Overwrite {
		answer(w, http.StatusPreconditionFailed, map[string]any{"status": "version-mismatch",
			"message": "The dashboard has been changed by someone else"})
		return
	}
	board.version = existing.version + 1
	if err := s.store(r.Context(), board); err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"uid": board.uid, "url": "/d/" + board.uid, "status": "success", "version": board.version})
}

func (s *server) store(ctx context.Context, board dashboard) error {
	board.body["version"] = board.version
	data, err := json.Marshal(board.body)
	if err != nil {
		return err
	}
	_, err = s.db.exec(ctx, `INSERT INTO dashboard (uid, title, version, data, updated) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (uid) DO UPDATE SET title = excluded.title, version = excluded.version, data = excluded.data, updated = excluded.updated`,
		board.uid, board.title, board.version, string(data), time.Now().UTC())
	return err
}

func (s *server) deleteDashboard(w http.ResponseWriter, r *http.Request) {
	uid := r.PathValue("uid")
	if s.provisioned(uid) != nil {
		answer(w, http.StatusBadRequest, message("provisioned dashboard cannot be deleted"))
		return
	}
	gone, err := s.db.exec(r.Context(), `DELETE FROM dashboard WHERE uid = ?`, uid)
	switch {
	case err != nil:
		s.failed(w, r, err)
	case gone == 0:
		answer(w, http.StatusNotFound, message("Dashboard not found"))
	default:
		answer(w, http.StatusOK, message("Dashboard deleted"))
	}
}
