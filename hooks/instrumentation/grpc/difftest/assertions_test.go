package difftest

import (
	"os"
	"path/filepath"
	"testing"

	rpc "google.golang.org/grpc"

	"github.com/otelobj/otelobj/hooks/rt/hook/hooktest"
)

// considered are the interfaces that grpc asks for by type assertion, and why our wrappers offer them, or need not. What we wrap: contexts, the stats handler of a client that has room for one, streams that interceptors of otelgrpc get, addresses that otelgrpc gets.
var considered = map[string]string{
	"stats.MetricsRecorder": "of a stats handler: releases that ask for it have room for several, and ours stands beside the program's",
	"ServerTransportStream": "of a value in a context: handed on",
	"grpcstatus":            "of an error: errors of the program's are never wrapped; what otelgrpc gets in their place is a status",
	"ConfigSelector":        "of the client's own",
	"cbItem":                "of a frame",
	"perTargetDialOption":   "of an option: those of the program's stay as they are",
	"http.Flusher":          "of a writer of responses, which net/http's hooks do not wrap either",
	"interface { GetCommonAuthInfo() credentials.CommonAuthInfo }": "of credentials",
	"interface { PassServerTransport(transport.ServerTransport) }": "of a listener's connection",
	"interface { Temporary() bool }":                               "of an error",
	"interface { Timeout() bool }":                                 "of an error",
}

// TestInterfacesThatAreAskedFor fails where a release asks for one that nobody has thought of.
func TestInterfacesThatAreAskedFor(t *testing.T) {
	source := hooktest.SourceOf(rpc.NewClient)
	folders := []string{source}
	for _, inside := range []string{"stats", "experimental/stats", "status", "metadata", "peer", "internal/stats", "internal/transport", "internal/resolver"} {
		if folder := filepath.Join(source, inside); isFolder(folder) {
			folders = append(folders, folder)
		}
	}
	if len(folders) < 6 {
		t.Errorf("%d of the folders are there", len(folders))
	}
	hooktest.Consider(t, folders, considered, "ServerTransportStream")
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
