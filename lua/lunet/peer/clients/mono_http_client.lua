--- Mono's System.Net.Http.HttpClient. Its Timeout does not cover the connect. The process may outlive its Main for
--- seconds.
local PROGRAM = [[
using System;
using System.Net.Http;

class Client {
  static int Main(string[] arguments) {
    var client = new HttpClient();
    if (arguments.Length > 0) client.Timeout = TimeSpan.FromSeconds(3);
    try {
      client.GetStringAsync("http://ADDRESS:PORT/").GetAwaiter().GetResult();
      return 0;
    } catch (Exception error) {
      Console.WriteLine("failed: " + error.GetType().Name + " " + error.Message);
      return 1;
    }
  }
}
]]

return {
  packages = { "mono-runtime" },
  program = "mono",
  version = { "--version" },
  libraries = { mcs = "mono-mcs", ["/usr/lib/mono/4.5/System.Net.Http.dll"] = "libmono-system-net-http4.0-cil" },
  files = { ["client.cs"] = PROGRAM },
  before = { { "mcs", "-r:System.Net.Http", "client.cs" } },
  arguments = { "client.exe", "OPTION" },
  gave_up = "failed: [^\n]*\n",
  waits = {
    default = { answer = 100, words = "TaskCanceledException" },
    answer = { option = "Timeout=3s", answer = 3, words = "TaskCanceledException" },
  },
}
