package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics carries Grafana's names for the few series that dashboards and alerts look at.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	proxied  *prometheus.CounterVec
}

func newMetrics(s *server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "grafana_http_request_duration_seconds", Help: "Histogram of latencies for HTTP requests.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25},
		}, []string{"handler", "method", "status_code"}),
		proxied: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "grafana_datasource_request_total", Help: "A counter for outgoing requests for an external data source",
		}, []string{"datasource", "datasource_type", "code", "method"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "grafana_build_info", Help: "A metric with a constant '1' value labeled by version and build", ConstLabels: prometheus.Labels{
			"version": version, "edition": "oss", "branch": "lab", "revision": "stand-in", "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.proxied, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		total("grafana_stat_total_users", "total amount of users", func() float64 { return s.rows("user") }),
		total("grafana_stat_totals_dashboard", "total amount of dashboards", func() float64 {
			return s.rows("dashboard") + float64(len(s.dashboards))
		}),
	)
	byType := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "grafana_stat_totals_datasource",
		Help: "total number of defined datasources, labeled by pluginId"}, []string{"plugin_id"})
	for _, source := range s.sources {
		byType.WithLabelValues(source.Type).Inc()
	}
	m.registry.MustRegister(byType)
	return m
}

func total(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func (s *server) rows(table string) float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	number, err := s.db.count(ctx, table)
	if err != nil {
		s.log.Error("counting rows failed", "table", table, "error", err)
	}
	return number
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (m *metrics) measure(pattern string, next http.HandlerFunc) http.Handler {
	handler := pattern[strings.Index(pattern, "/"):]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next(recorder, r)
		m.requests.WithLabelValues(handler, r.Method, fmt.Sprint(recorder.status)).Observe(time.Since(started).Seconds())
	})
}
