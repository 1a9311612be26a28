// Command tempo runs Tempo with a message codec of its own, registered after all others.
//
// The packages of this Tempo register two codecs under one name and count on the order in which Go initialises
// them. Go 1.21 changed that order, and with the other codec Tempo panics at its first span.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/drone/envsubst"
	"github.com/grafana/tempo/cmd/tempo/app"
	"github.com/grafana/tempo/pkg/util/log"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
	"gopkg.in/yaml.v2"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tempo:", err)
		os.Exit(1)
	}
}

// run reads the command line and the file it names, as Tempo's own main does: a flag wins over the file.
func run() error {
	encoding.RegisterCodec(codec{})
	prometheus.MustRegister(version.NewCollector("tempo"))

	config := &app.Config{}
	file := flag.String("config.file", "", "configuration file, YAML")
	expand := flag.Bool("config.expand-env", false, "replace ${NAME} in the file by the environment's value")
	show := flag.Bool("version", false, "print the version and end")
	config.RegisterFlagsAndApplyDefaults("", flag.CommandLine)
	flag.Parse()

	if *show {
		fmt.Println(version.Print("tempo"))
		return nil
	}
	if *file != "" {
		if err := read(*file, *expand, config); err != nil {
			return err
		}
		flag.Parse()
	}
	log.InitLogger(&config.Server)
	tempo, err := app.New(*config)
	if err != nil {
		return err
	}
	return tempo.Run()
}

func read(file string, expand bool, config *app.Config) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := string(content)
	if expand {
		if text, err = envsubst.EvalEnv(text); err != nil {
			return err
		}
	}
	return yaml.UnmarshalStrict([]byte(text), config)
}

// codec lets messages that know how to marshal themselves do so.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message any) ([]byte, error) {
	if own, ok := message.(interface{ Marshal() ([]byte, error) }); ok {
		return own.Marshal()
	}
	return proto.Marshal(message.(proto.Message))
}

func (codec) Unmarshal(data []byte, message any) error {
	if own, ok := message.(interface{ Unmarshal([]byte) error }); ok {
		return own.Unmarshal(data)
	}
	return proto.Unmarshal(data, message.(proto.Message))
}
