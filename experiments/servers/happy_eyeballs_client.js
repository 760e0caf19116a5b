// A client by Node's http: happy_eyeballs_client.js IPV6 IPV4 PORT SECONDS asks a server that has both addresses, and
// prints the one that answered, or "nobody".
const http = require("http");

const [ipv6, ipv4, port, seconds] = process.argv.slice(2);
const tell = (words) => { console.log(words); process.exit(); };
const lookup = (name, options, done) => done(null, [{ address: ipv6, family: 6 }, { address: ipv4, family: 4 }]);

http.get({ host: "server.test", port, agent: false, lookup }, (answer) => tell(answer.socket.remoteAddress))
  .on("error", () => tell("nobody"));
setTimeout(() => tell("nobody"), seconds * 1000);
