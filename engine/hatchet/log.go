package hatchet

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/rs/zerolog"
)

// newLogger returns a logger for Hatchet's clients that writes to ours. What they find worth no
// warning is for debugging: they report every connection and every run.
func newLogger(l *slog.Logger) zerolog.Logger {
	level := zerolog.WarnLevel
	if l.Enabled(context.Background(), slog.LevelDebug) {
		level = zerolog.DebugLevel
	}
	return zerolog.New(logWriter{l}).Level(level)
}

// logWriter takes lines of JSON.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(line []byte) (int, error) {
	var fields map[string]any
	if err := json.Unmarshal(line, &fields); err != nil {
		return 0, err
	}
	text, _ := fields[zerolog.MessageFieldName].(string)
	level := slog.LevelDebug
	switch fields[zerolog.LevelFieldName] {
	case "warn":
		level = slog.LevelWarn
	case "error", "fatal", "panic":
		level = slog.LevelError
	}
	delete(fields, zerolog.MessageFieldName)
	delete(fields, zerolog.LevelFieldName)
	var args []any
	for name, value := range fields {
		args = append(args, slog.Any(name, value))
	}
	w.log.Log(context.Background(), level, "hatchet: "+text, args...)
	return len(line), nil
}
