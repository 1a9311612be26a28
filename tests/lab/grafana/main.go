// Command grafana is the lab's stand-in for Grafana: test equipment for machines that cannot get the real image.
//
// It reads what Grafana reads (GF_* environment, provisioning folders, dashboards), refuses to start where Grafana
// would refuse or would silently go on without what was asked for, keeps users, sessions and saved dashboards in the
// configured database, and forwards data source queries to the real stores. It draws nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// The release whose behaviour this follows.
const version = "13.2.1"

const banner = "This is the lab's stand-in for Grafana " + version + ", not Grafana: it proves wiring and draws nothing."

func main() {
	if len(os.Args) > 1 && os.Args[1] == "cli" {
		exit(cli(os.Args[2:], os.Stdin))
	}
	exit(serve())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "Error: ✗ %v\n", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func newLogger(format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stdout, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stdout, nil))
}

func serve() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s, err := loadSettings(os.Getenv("GF_PATHS_CONFIG")) // run.sh hands it on as --config
	log := newLogger(s.logFormat)
	log.Info(banner)
	if err != nil {
		return err
	}
	srv, err := newServer(ctx, s, log)
	if err != nil {
		return err
	}
	defer srv.db.Close()
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return fmt.Errorf("failed to open listener on address %s: %w", s.listen, err)
	}
	log.Info("HTTP Server Listen", "address", listener.Addr().String())
	web := http.Server{Handler: srv.handler(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- web.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("Shutdown started", "reason", context.Cause(ctx).Error())
	drain, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return web.Shutdown(drain)
}

// checkPluginFolder refuses a set-up in which Grafana 13 loses its data sources: prometheus, loki and jaeger are
// plugins bundled with the image, and the background installer stops a running one before it finds that it cannot
// replace its folder (grafana/grafana issue 132528).
func checkPluginFolder(s settings) error {
	folder := filepath.Join(s.homeDir, "data", "plugins-bundled")
	var fs syscall.Statfs_t
	err := syscall.Statfs(folder, &fs)
	if errors.Is(err, os.ErrNotExist) || !s.pluginUpdate {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	const readOnly = 1 // ST_RDONLY
	if fs.Flags&readOnly != 0 {
		return fmt.Errorf("%s is on a read-only file system while plugin updates are on, and Grafana would lose its data source plugins: "+
			"set GF_PLUGINS_PREINSTALL_DISABLED=true and GF_PLUGINS_PREINSTALL_AUTO_UPDATE=false", folder)
	}
	return nil
}
