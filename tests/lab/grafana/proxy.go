package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"
)

// Each data source's "Save & test" question, by type.
var healthPaths = map[string]string{
	"prometheus": "/api/v1/query?query=1%2B1",
	"loki":       "/loki/api/v1/query?query=vector%281%29%2Bvector%281%29",
	"jaeger":     "/api/services",
	"tempo":      "/api/echo",
}

func (s *server) withSource(next func(http.ResponseWriter, *http.Request, datasource)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, source := range s.sources {
			if source.UID == r.PathValue("uid") {
				next(w, r, source)
				return
			}
		}
		answer(w, http.StatusNotFound, message("Data source not found"))
	}
}

// proxy hands a query to the real store, without the caller's credentials.
func (s *server) proxy(w http.ResponseWriter, r *http.Request, source datasource) {
	target, err := url.Parse(source.URL)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	forward := httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.Out.URL.Path, request.Out.URL.RawPath = "/"+r.PathValue("path"), ""
			request.SetURL(target)
			request.Out.Header.Del("Authorization")
			request.Out.Header.Del("Cookie")
			maps.Copy(request.Out.Header, source.headers())
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			s.log.Error("Proxy request failed", "datasource", source.UID, "error", err)
			answer(w, http.StatusBadGateway, message(fmt.Sprintf("data source %s (%s) does not answer", source.UID, source.URL)))
		},
	}
	recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
	forward.ServeHTTP(recorder, r)
	s.metrics.proxied.WithLabelValues(source.Name, source.Type, fmt.Sprint(recorder.status), strings.ToLower(r.Method)).Inc()
}

func (s *server) sourceHealth(w http.ResponseWriter, r *http.Request, source datasource) {
	path, known := healthPaths[source.Type]
	if !known {
		answer(w, http.StatusNotFound, message("this data source has no health check"))
		return
	}
	if err := ask(r.Context(), strings.TrimSuffix(source.URL, "/")+path, source.headers()); err != nil {
		answer(w, http.StatusBadRequest, map[string]any{"status": "ERROR", "message": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{"status": "OK", "message": "Data source is working"})
}

func ask(ctx context.Context, address string, headers http.Header) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header = headers
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", address, response.Status)
	}
	return nil
}
