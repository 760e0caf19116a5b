--- The server of Java's package com.sun.net.httpserver with its default executor: one thread, which also accepts.
local http = require "lunet.peer.http"

local PROGRAM = [[
import com.sun.net.httpserver.HttpServer;
import java.io.FileWriter;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

class Leave {
  public static void main(String[] arguments) throws Exception {
    FileWriter asked = new FileWriter("PLACE/asked");
    HttpServer server = HttpServer.create(new InetSocketAddress("0.0.0.0", PORT), 0);
    if (N > 1) server.setExecutor(Executors.newFixedThreadPool(N));
    server.createContext("/", exchange -> {
      synchronized (asked) {
        asked.write(exchange.getRequestURI() + "\n");
        asked.flush();
      }
      exchange.sendResponseHeaders(200, 6);
      exchange.getResponseBody().write("served".getBytes());
      exchange.close();
    });
    server.start();
  }
}
]]

return http.server {
  packages = { "default-jre-headless" },
  program = "java",
  needs = http.JAVA_NEEDS,
  version = http.java_words "-version",
  limit = function(n) return n == 1 and "the default executor" or ("newFixedThreadPool(%d)"):format(n) end,
  arguments = function(running) return http.java(running, PROGRAM) end,
}
