package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/http"
	"time"
)

const (
	sessionCookie   = "grafana_session"
	sessionLifetime = 30 * 24 * time.Hour
	hashIterations  = 10000
)

var errNotSignedIn = errors.New("Invalid username or password")

type user struct {
	id    int64
	login string
	admin bool
}

// users keeps accounts and sessions; every replica on the same database and secret key accepts the same sessions.
type users struct {
	db        *database
	secretKey string
}

func hashPassword(password, salt string) (string, error) {
	key, err := pbkdf2.Key(sha256.New, password, []byte(salt), hashIterations, 32)
	return hex.EncodeToString(key), err
}

// ensureAdmin makes the admin account if there is none. An existing password is kept, as Grafana keeps it.
func (u *users) ensureAdmin(ctx context.Context, login, password string) (bool, error) {
	salt := rand.Text()
	hash, err := hashPassword(password, salt)
	if err != nil {
		return false, err
	}
	made, err := u.db.exec(ctx, `INSERT INTO "user" (login, password, salt, is_admin, created)
		SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM "user") ON CONFLICT (login) DO NOTHING`,
		login, hash, salt, true, time.Now().UTC())
	return made > 0, err
}

// resetAdmin is `grafana cli admin reset-admin-password`.
func (u *users) resetAdmin(ctx context.Context, password string) error {
	salt := rand.Text()
	hash, err := hashPassword(password, salt)
	if err != nil {
		return err
	}
	changed, err := u.db.exec(ctx, `UPDATE "user" SET password = ?, salt = ? WHERE is_admin = ?`, hash, salt, true)
	if err == nil && changed == 0 {
		err = errors.New("there is no admin user yet: start the server once")
	}
	return err
}

func (u *users) verify(ctx context.Context, login, password string) (user, error) {
	var found user
	var hash, salt string
	err := u.db.row(ctx, `SELECT id, login, is_admin, password, salt FROM "user" WHERE login = ?`, login).
		Scan(&found.id, &found.login, &found.admin, &hash, &salt)
	if errors.Is(err, sql.ErrNoRows) {
		return user{}, errNotSignedIn
	}
	if err != nil {
		return user{}, err
	}
	given, err := hashPassword(password, salt)
	if err != nil {
		return user{}, err
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(hash)) != 1 {
		return user{}, errNotSignedIn
	}
	return found, nil
}

func (u *users) hashToken(token string) string {
	sum := sha256.Sum256([]byte(token + u.secretKey))
	return hex.EncodeToString(sum[:])
}

func (u *users) openSession(ctx context.Context, of user) (*http.Cookie, error) {
	token := rand.Text()
	_, err := u.db.exec(ctx, `INSERT INTO user_auth_token (auth_token, user_id, expires_at) VALUES (?, ?, ?)`,
		u.hashToken(token), of.id, time.Now().Add(sessionLifetime).Unix())
	return &http.Cookie{Name: sessionCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		MaxAge: int(sessionLifetime.Seconds())}, err
}

func (u *users) closeSession(ctx context.Context, token string) error {
	_, err := u.db.exec(ctx, `DELETE FROM user_auth_token WHERE auth_token = ?`, u.hashToken(token))
	return err
}

// signedIn tells who asks: by basic authentication, else by session cookie.
func (u *users) signedIn(r *http.Request) (user, error) {
	if login, password, given := r.BasicAuth(); given {
		return u.verify(r.Context(), login, password)
	}
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return user{}, errNotSignedIn
	}
	var found user
	err = u.db.row(r.Context(), `SELECT u.id, u.login, u.is_admin FROM user_auth_token t JOIN "user" u ON u.id = t.user_id
		WHERE t.auth_token = ? AND t.expires_at > ?`, u.hashToken(cookie.Value), time.Now().Unix()).
		Scan(&found.id, &found.login, &found.admin)
	if errors.Is(err, sql.ErrNoRows) {
		return user{}, errNotSignedIn
	}
	return found, err
}
