--- The parts that HTTP servers share: their clients, and programs that leave the word of a request behind.
---
---     return http.server { packages = { "lighttpd" }, program = "lighttpd", ... }
local lunet = require "lunet"

local http = {}

--- For servers that run scripts (RFC 3875). PLACE and PORT as lunet.running_server:write takes them.
http.SCRIPT = [[
#!/bin/sh
echo "$REQUEST_URI" >>PLACE/asked
printf 'Status: 200\r\nContent-Type: text/plain\r\n\r\nserved'
]]

--- For servers of Python's WSGI (PEP 3333).
http.WSGI = [[
def application(environment, start):
    with open("PLACE/asked", "a") as file:
        file.write(environment["PATH_INFO"] + "\n")
    start("200 OK", [("Content-Length", "6")])
    return [b"served"]
]]

local BEGINNING = "GET /beginning HTTP/1.1\r\nHost: server\r\n"
local REPLY = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nserved"

local function request(word) return ("GET /%s HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"):format(word) end

--- Starts a backend for a server that forwards requests. It is lunet's own, on the same host, at running.backend_port,
--- and answers only GET. The requests that it has received are the evidence.
---@param running lunet.running_server
function http.begin_backend(running)
  local listener = assert(running.host:listen { address = "127.0.0.1", backlog = 100, label = "backend" })
  running.backend, running.backend_asked = listener, {}
  running.backend_port = select(2, listener:address())
  lunet.spawn(function()
    listener:serve(function(connection)
      local path
      for line in connection:lines() do
        path = path or line:match "^GET (%S+)"
        if line == "\r" and path then
          running.backend_asked[#running.backend_asked + 1] = path
          return connection:send(REPLY)
        end
      end
    end)
  end)
end

local function evidence(running)
  return running.backend_asked and table.concat(running.backend_asked, "\n") or running:file "asked"
end

local COMPILER, COMPILE = "/usr/share/java/eclipse-jdt-core.jar", "org.eclipse.jdt.internal.compiler.batch.Main"

-- Without these options the machine leaves a file in /tmp, and starts more slowly.
local OPTIONS = { "-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1" }

--- The arguments of java for a short or small program.
---@param ... string more arguments
---@return string[]
function http.java_words(...)
  return table.move({ ... }, 1, select("#", ...), #OPTIONS + 1, { table.unpack(OPTIONS) })
end

--- Compiles a program in Java for a server that is one, and returns the arguments that run it.
---@param running lunet.running_server
---@param program string its class is Leave. PLACE, PORT and N as lunet.running_server:write takes them
---@param library? string a path of classes that it uses
---@return string[] arguments of java
function http.java(running, program, library)
  local place, path = running.place.path, running:write("Leave.java", program)
  running:run { "java", table.unpack(http.java_words("-cp", COMPILER, COMPILE, "-17", "-nowarn", "-proc:none",
    "-cp", library or place, "-d", place, path)) }
  return http.java_words("-cp", table.concat({ place, library }, ":"), "Leave")
end

--- The `needs` of a program in Java.
http.JAVA_NEEDS = { [COMPILER] = "libeclipse-jdt-core-java" }

--- Completes a description by what all of them have. A client holds its place by a request whose head does not end.
---@param description table of lunet.server
---@return lunet.server description the same
function http.server(description)
  description.holds = description.holds or BEGINNING
  description.request = description.request or request
  description.answer = description.answer or "^HTTP/1%.[01] 200"
  description.evidence = description.evidence or evidence
  description.logged = description.logged or { "/WORD HTTP[^\n]-\" (%d+)" }
  return description
end

return http
