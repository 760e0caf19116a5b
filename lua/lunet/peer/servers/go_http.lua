--- A server of Go's package net/http, with a semaphore around Accept, as golang.org/x/net/netutil.LimitListener is.
local gccgo = require "lunet.peer.gccgo"
local http = require "lunet.peer.http"

local PROGRAM = [[
package main

import ("fmt"; "net"; "net/http"; "os"; "sync")

type limited struct { net.Listener; places chan bool }

type client struct { net.Conn; once sync.Once; places chan bool }

func (l limited) Accept() (net.Conn, error) {
	l.places <- true
	connection, err := l.Listener.Accept()
	return &client{Conn: connection, places: l.places}, err
}

func (c *client) Close() error {
	c.once.Do(func() { <-c.places })
	return c.Conn.Close()
}

func main() {
	asked, _ := os.Create("PLACE/asked")
	listener, err := net.Listen("tcp4", ":PORT")
	if err != nil { panic(err) }
	http.Serve(limited{listener, make(chan bool, N)}, http.HandlerFunc(
		func(response http.ResponseWriter, request *http.Request) {
			fmt.Println(request.URL.Path, "context", request.Context().Err())
			fmt.Fprintln(asked, request.URL.Path)
			fmt.Fprint(response, "served")
		}))
}
]]

return http.server {
  packages = { "gccgo" },
  program = "gccgo",
  version = gccgo.version,
  limit = function(n) return ("a semaphore of %d around Accept"):format(n) end,
  build = function(running)
    local program = running.place.path .. "/server"
    running:run { "gccgo", "-o", program, running:write("server.go", PROGRAM) }
    return program
  end,
  arguments = function() return {} end,
  logged = { "/WORD (context %S+)" },
}
