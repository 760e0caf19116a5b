--- Java's java.net.http.HttpClient.
local PROGRAM = [[
import java.net.URI;
import java.net.http.*;
import java.time.Duration;

class Client {
  public static void main(String[] arguments) {
    var client = HttpClient.newBuilder();
    var request = HttpRequest.newBuilder(URI.create("http://ADDRESS:PORT/"));
    for (var option : arguments) {
      if (option.equals("connectTimeout=3s")) client.connectTimeout(Duration.ofSeconds(3));
      if (option.equals("timeout=3s")) request.timeout(Duration.ofSeconds(3));
    }
    try {
      client.build().send(request.build(), HttpResponse.BodyHandlers.ofString());
    } catch (Exception error) {
      System.out.println("failed: " + error);
      System.exit(1);
    }
  }
}
]]

return {
  packages = { "default-jdk-headless" },
  program = "java",
  version = { "--version" },
  libraries = { javac = "default-jdk-headless" },
  files = { ["Client.java"] = PROGRAM },
  before = { { "javac", "-J-XX:TieredStopAtLevel=1", "Client.java" } },
  arguments = { "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", "PLACE", "Client", "OPTION" },
  waits = {
    default = {},
    connect = { option = "connectTimeout=3s", connect = 3 },
    answer = { option = "timeout=3s", connect = 3, answer = 3, status = 1, words = "HttpTimeoutException" },
  },
}
