--- Tomcat's NIO connector, embedded in a program.
local http = require "lunet.peer.http"
local options = require "lunet.text.options"

local CORE = "/usr/share/java/tomcat10-embed-core.jar"

local PROGRAM = [[
import jakarta.servlet.http.*;
import java.io.FileWriter;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.AccessLogValve;
import org.apache.tomcat.SimpleInstanceManager;

class Leave {
  public static void main(String[] arguments) throws Exception {
    FileWriter asked = new FileWriter("PLACE/asked");
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir("PLACE");
    Connector connector = new Connector("org.apache.coyote.http11.Http11NioProtocol");
    connector.setPort(PORT);
    connector.setProperty("address", "0.0.0.0");
    connector.setProperty("maxThreads", "N");
    connector.setProperty("maxConnections", "N");
    connector.setProperty("acceptCount", "N");
    connector.setProperty("connectionTimeout", "-1");
    tomcat.setConnector(connector);
    StandardContext context = new StandardContext(); // Tomcat's own listener needs annotations, of another package
    context.setPath("");
    context.addLifecycleListener(event -> context.setConfigured(true));
    tomcat.getHost().addChild(context);
    context.setInstanceManager(new SimpleInstanceManager());
    AccessLogValve log = new AccessLogValve();
    log.setDirectory("PLACE");
    log.setPrefix("log");
    log.setSuffix("");
    log.setRotatable(false);
    log.setBuffered(false);
    log.setPattern("\"%r\" %s");
    context.getPipeline().addValve(log);
    Tomcat.addServlet(context, "leave", new HttpServlet() {
      protected void doGet(HttpServletRequest request, HttpServletResponse response) throws java.io.IOException {
        synchronized (asked) {
          asked.write(request.getRequestURI() + "\n");
          asked.flush();
        }
        response.getWriter().print("served");
      }
    });
    context.addServletMappingDecoded("/", "leave");
    tomcat.start();
    tomcat.getServer().await();
  }
}
]]

return http.server {
  packages = { "default-jre-headless" },
  program = "java",
  needs = options.merged(http.JAVA_NEEDS, { [CORE] = "libtomcat10-embed-java" }),
  version = http.java_words("-cp", CORE, "org.apache.catalina.util.ServerInfo"),
  limit = function(n) return ("maxThreads, maxConnections, acceptCount = %d"):format(n) end,
  arguments = function(running) return http.java(running, PROGRAM, CORE) end,
}
