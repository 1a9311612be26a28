package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// cli is `grafana cli [--config FILE] ... admin reset-admin-password [--password-from-stdin] [new password]`. Other
// flags, which only tell the real program where its files are, are accepted and not looked at. Without --config the
// real program does not read the image's configuration file either.
func cli(args []string, stdin io.Reader) error {
	words := slices.DeleteFunc(slices.Clone(args), func(word string) bool { return strings.HasPrefix(word, "-") })
	at := slices.Index(words, "reset-admin-password")
	if at < 1 || words[at-1] != "admin" {
		return errors.New("the stand-in knows one command: grafana cli admin reset-admin-password [--password-from-stdin] [new password]")
	}
	password := strings.Join(words[at+1:], " ")
	if slices.Contains(args, "--password-from-stdin") {
		line, err := bufio.NewReader(stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		password = strings.TrimRight(line, "\r\n")
	}
	if len(password) < 4 {
		return errors.New("new password is too short: at least 4 characters")
	}
	config := ""
	if at := slices.Index(args, "--config"); at >= 0 && at+1 < len(args) {
		config = args[at+1]
	}
	s, err := loadSettings(config)
	if err != nil {
		return err
	}
	db, err := openDatabase(context.Background(), s.database)
	if err != nil {
		return err
	}
	defer db.Close()
	accounts := users{db: db, secretKey: s.secretKey}
	if err := accounts.resetAdmin(context.Background(), password); err != nil {
		return err
	}
	fmt.Println("Admin password changed successfully ✔")
	return nil
}
