--- Go's net/http, compiled by gccgo. Its default client has no timeout; the default transport has one for the connect.
local gccgo = require "lunet.peer.gccgo"

local PROGRAM = [[
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	client := &http.Client{}
	if len(os.Args) > 1 && os.Args[1] == "Dialer.Timeout=3s" {
		dialer := &net.Dialer{Timeout: 3 * time.Second}
		client.Transport = &http.Transport{DialContext: dialer.DialContext}
	} else if len(os.Args) > 1 {
		client.Timeout = 3 * time.Second
	}
	_, err := client.Get("http://ADDRESS:PORT/")
	fmt.Println("failed:", err)
	os.Exit(1)
}
]]

return {
  packages = { "gccgo" },
  program = "gccgo",
  version = gccgo.version,
  files = { ["client.go"] = PROGRAM },
  before = { { "gccgo", "-o", "client", "client.go" } },
  runs = "PLACE/client",
  arguments = { "OPTION" },
  waits = {
    default = { connect = 30 },
    connect = { option = "Dialer.Timeout=3s", connect = 3 },
    answer = { option = "Client.Timeout=3s", connect = 3, answer = 3, status = 1, words = "Client.Timeout exceeded" },
  },
}
