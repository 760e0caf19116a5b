"""A client by Python's http.client: happy_eyeballs_client.py IPV6 IPV4 PORT SECONDS asks a server that has both
addresses, and prints the one that answered, or "nobody"."""
import http.client
import socket
import sys

ipv6, ipv4, port, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
stream = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
socket.getaddrinfo = lambda *any, **more: [(socket.AF_INET6, *stream, (ipv6, port, 0, 0)),
                                           (socket.AF_INET, *stream, (ipv4, port))]
client = http.client.HTTPConnection("server.test", port, timeout=seconds)
try:
    client.request("GET", "/")
    peer = client.sock.getpeername()[0]
    client.getresponse()
    print(peer)
except OSError:
    print("nobody")
