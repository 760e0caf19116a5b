// The memo's server. It listens with a backlog of 100, and a semaphore lets one client in at a time: the next accept
// begins when the present client has left. It prints what it sees, and appends every login to a file.
//
// Arguments: port, file, remedy. The remedies:
//   none    the memo's program
//   look    before it carries out a request it looks whether the client has closed its end
//   refuse  it accepts every client, and tells one that is too many that it is busy
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

class MemoServer
{
    static readonly SemaphoreSlim place = new SemaphoreSlim(1);
    static string file, remedy;

    static void Say(string text)
    {
        lock (place) { Console.Out.WriteLine(text); Console.Out.Flush(); }
    }

    static void Main(string[] arguments)
    {
        file = arguments[1];
        remedy = arguments[2];
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, int.Parse(arguments[0])));
        listener.Listen(100);
        while (true)
        {
            if (remedy != "refuse") place.Wait(); // until the present client has left
            var accepted = Accept(listener);
            Say("accept: " + accepted.SocketError + ", " + EndPoint(accepted.AcceptSocket));
            if (remedy == "refuse" && !place.Wait(0)) Refuse(accepted.AcceptSocket);
            else new Thread(() => Serve(accepted.AcceptSocket)).Start();
        }
    }

    // Begins an operation, and waits for its callback.
    static SocketAsyncEventArgs Complete(SocketAsyncEventArgs operation, Func<SocketAsyncEventArgs, bool> begin)
    {
        using (var done = new ManualResetEvent(false))
        {
            operation.Completed += (sender, e) => done.Set();
            if (begin(operation)) done.WaitOne(); // else it is complete, and there is no callback
            return operation;
        }
    }

    static SocketAsyncEventArgs Accept(Socket listener)
    {
        return Complete(new SocketAsyncEventArgs(), listener.AcceptAsync);
    }

    static string EndPoint(Socket client)
    {
        try { return "client " + ((IPEndPoint)client.RemoteEndPoint).Address; }
        catch (SocketException e) { return "no address (" + e.SocketErrorCode + ")"; }
    }

    static void Refuse(Socket client)
    {
        Send(client, "busy\n");
        client.Shutdown(SocketShutdown.Send);
        client.Close();
    }

    static SocketError Send(Socket client, string text)
    {
        var operation = new SocketAsyncEventArgs();
        var bytes = Encoding.ASCII.GetBytes(text);
        operation.SetBuffer(bytes, 0, bytes.Length);
        return Complete(operation, client.SendAsync).SocketError;
    }

    // A client that has closed leaves an end of the stream behind what it has sent: readable, with no byte to read.
    static bool HasLeft(Socket client)
    {
        return client.Poll(0, SelectMode.SelectRead) && client.Available == 0;
    }

    static void CarryOut(Socket client, string request)
    {
        if (remedy == "look" && HasLeft(client)) { Say("discard: " + request); return; }
        File.AppendAllText(file, request + "\n");
        Say("carry out: " + request);
        var first = Send(client, "reply to " + request + "\n");
        Thread.Sleep(100); // the reply has two parts, and the second takes a moment
        Say("send: " + first + ", " + Send(client, "ready\n"));
    }

    static void Serve(Socket client)
    {
        var end = "the client has closed";
        try
        {
            var reader = new StreamReader(new NetworkStream(client));
            for (var request = reader.ReadLine(); request != null; request = reader.ReadLine()) CarryOut(client, request);
        }
        catch (IOException e)
        {
            var cause = e.InnerException as SocketException;
            end = cause == null ? e.Message : cause.SocketErrorCode.ToString();
        }
        client.Close();
        place.Release();
        Say("end: " + end);
    }
}
