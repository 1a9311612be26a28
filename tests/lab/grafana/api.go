package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	body := map[string]any{"database": "ok", "version": version, "commit": "lab-stand-in"}
	if err := s.db.PingContext(r.Context()); err != nil {
		body["database"] = "failing"
		answer(w, http.StatusServiceUnavailable, body)
		return
	}
	answer(w, http.StatusOK, body)
}

func (s *server) front(w http.ResponseWriter, r *http.Request) {
	if _, err := s.users.signedIn(r); err != nil {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	fmt.Fprintln(w, banner)
	for _, board := range s.dashboards {
		fmt.Fprintf(w, "%s  /api/dashboards/uid/%s\n", board.title, board.uid)
	}
}

func (s *server) loginPage(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, banner+"\nSign in: POST /login with {\"user\": ..., \"password\": ...}, or HTTP basic authentication on /api/.")
}

func (s *server) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ User, Password string }
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		answer(w, http.StatusBadRequest, message("bad login data"))
		return
	}
	found, err := s.users.verify(r.Context(), given.User, given.Password)
	if errors.Is(err, errNotSignedIn) {
		answer(w, http.StatusUnauthorized, message(err.Error()))
		return
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	cookie, err := s.users.openSession(r.Context(), found)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	http.SetCookie(w, cookie)
	answer(w, http.StatusOK, map[string]any{"message": "Logged in", "redirectUrl": "/"})
}

func (s *server) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		if err := s.users.closeSession(r.Context(), cookie.Value); err != nil {
			s.failed(w, r, err)
			return
		}
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true})
	http.Redirect(w, r, "/login", http.StatusFound)
}

func (s *server) signUp(w http.ResponseWriter, _ *http.Request) {
	if s.settings.signUp {
		answer(w, http.StatusNotImplemented, message("sign-up is not part of the stand-in"))
		return
	}
	answer(w, http.StatusUnauthorized, message("User signup is disabled"))
}

func (s *server) currentUser(w http.ResponseWriter, r *http.Request) {
	found, err := s.users.signedIn(r)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"id": found.id, "login": found.login, "isGrafanaAdmin": found.admin, "orgId": 1})
}

func (s *server) listSources(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, s.sources)
}

func (s *server) showSource(w http.ResponseWriter, _ *http.Request, source datasource) {
	answer(w, http.StatusOK, source)
}

func (s *server) showHome(w http.ResponseWriter, _ *http.Request) {
	if s.home == nil {
		answer(w, http.StatusOK, map[string]any{"meta": map[string]any{"isHome": true}, "dashboard": map[string]any{"title": "Home"}})
		return
	}
	answer(w, http.StatusOK, map[string]any{"meta": map[string]any{"isHome": true}, "dashboard": s.home.body})
}

func (s *server) provisioned(uid string) *dashboard {
	for i := range s.dashboards {
		if s.dashboards[i].uid == uid {
			return &s.dashboards[i]
		}
	}
	return nil
}

func (s *server) search(w http.ResponseWriter, r *http.Request) {
	saved, err := s.saved(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	found := []map[string]any{}
	wanted := strings.ToLower(r.URL.Query().Get("query"))
	for _, board := range append(append([]dashboard{}, s.dashboards...), saved...) {
		if strings.Contains(strings.ToLower(board.title), wanted) {
			found = append(found, map[string]any{"uid": board.uid, "title": board.title, "type": "dash-db",
				"url": "/d/" + board.uid, "folderTitle": board.folder})
		}
	}
	answer(w, http.StatusOK, found)
}
