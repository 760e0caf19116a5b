# A client by curl: happy_eyeballs_client.sh IPV6 IPV4 PORT SECONDS asks a server that has both addresses, and prints the
# one that answered; "nobody", too, if it fails.
curl -s -o /dev/null --max-time "$4" --resolve "server.test:$3:[$1],$2" -w '%{remote_ip}\n' "http://server.test:$3/" ||
  echo nobody
