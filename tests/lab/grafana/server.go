package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// server answers the part of Grafana's HTTP API that the stack, its smoke check and its tests use.
type server struct {
	settings   settings
	log        *slog.Logger
	db         *database
	users      *users
	sources    []datasource
	dashboards []dashboard
	home       *dashboard
	metrics    *metrics
}

// newServer reads all that Grafana would read and fails where Grafana would fail, or would go on without what was asked.
func newServer(ctx context.Context, s settings, log *slog.Logger) (*server, error) {
	if err := checkPluginFolder(s); err != nil {
		return nil, err
	}
	sources, err := loadDatasources(s.provisioning + "/datasources")
	if err != nil {
		return nil, fmt.Errorf("Datasource provisioning error: %w", err)
	}
	boards, err := loadDashboards(s.provisioning+"/dashboards", sources)
	if err != nil {
		return nil, fmt.Errorf("dashboard provisioning error: %w", err)
	}
	for _, kind := range []string{"alerting", "plugins"} {
		if err := eachYAML(s.provisioning+"/"+kind, checkYAML); err != nil {
			return nil, fmt.Errorf("%s provisioning error: %w", kind, err)
		}
	}
	if err := checkAlerting(s.provisioning + "/alerting"); err != nil {
		return nil, fmt.Errorf("Failed to provision alerting: %w", err)
	}
	home, err := loadHome(s.homeFile)
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, s.database)
	if err != nil {
		return nil, err
	}
	accounts := &users{db: db, secretKey: s.secretKey}
	made, err := accounts.ensureAdmin(ctx, s.adminUser, s.adminPass)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("making the admin user: %w", err)
	}
	log.Info("provisioned", "datasources", len(sources), "dashboards", len(boards), "database", s.database.name, "adminCreated", made)
	srv := &server{settings: s, log: log, db: db, users: accounts, sources: sources, dashboards: boards, home: home}
	srv.metrics = newMetrics(srv)
	return srv, nil
}

func checkYAML(path string) error {
	var anything any
	return decodeProvisioning(path, &anything)
}

func loadHome(path string) (*dashboard, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: %w", err)
	}
	board, err := parseDashboard(content)
	if err != nil {
		return nil, fmt.Errorf("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: %s: %w", path, err)
	}
	return &board, nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	open := func(pattern string, handle http.HandlerFunc) {
		mux.Handle(pattern, s.metrics.measure(pattern, handle))
	}
	closed := func(pattern string, handle http.HandlerFunc) { open(pattern, s.authenticated(handle)) }

	open("GET /{$}", s.front)
	open("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Ok") })
	open("GET /api/health", s.health)
	open("GET /login", s.loginPage)
	open("POST /login", s.login)
	open("GET /logout", s.logout)
	open("POST /api/user/signup", s.signUp)
	if s.settings.metrics {
		open("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}).ServeHTTP)
	}
	closed("GET /api/user", s.currentUser)
	closed("GET /api/datasources", s.listSources)
	closed("GET /api/datasources/uid/{uid}", s.withSource(s.showSource))
	closed("GET /api/datasources/uid/{uid}/health", s.withSource(s.sourceHealth))
	closed("/api/datasources/proxy/uid/{uid}/{path...}", s.withSource(s.proxy))
	closed("GET /api/search", s.search)
	closed("GET /api/dashboards/home", s.showHome)
	closed("GET /api/dashboards/uid/{uid}", s.showDashboard)
	closed("POST /api/dashboards/db", s.saveDashboard)
	closed("DELETE /api/dashboards/uid/{uid}", s.deleteDashboard)
	closed("/api/", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusNotFound, message("Not found")) })
	return mux
}

func (s *server) authenticated(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, err := s.users.signedIn(r)
		switch {
		case err == nil:
			next(w, r)
		case errors.Is(err, errNotSignedIn):
			answer(w, http.StatusUnauthorized, message("Unauthorized"))
		default:
			s.failed(w, r, err)
		}
	}
}

func (s *server) failed(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Error("request failed", "path", r.URL.Path, "error", err)
	answer(w, http.StatusInternalServerError, message("Internal server error"))
}

func message(text string) map[string]any { return map[string]any{"message": text} }

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
