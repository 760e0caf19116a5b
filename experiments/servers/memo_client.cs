// The memo's client B, one program that connects more than once. It does what it is told by lines on its standard input,
// and prints what its callbacks report: connect, send TEXT, receive MILLISECONDS, close, reset.
//
// Arguments: address, port.
using System;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

class MemoClient
{
    static Socket socket;

    static void Main(string[] arguments)
    {
        var server = new IPEndPoint(IPAddress.Parse(arguments[0]), int.Parse(arguments[1]));
        for (var line = Console.ReadLine(); line != null; line = Console.ReadLine())
        {
            var words = line.Split(new[] { ' ' }, 2);
            Console.Out.WriteLine(words[0] + ": " + Do(words[0], words.Length > 1 ? words[1] : "", server));
            Console.Out.Flush();
        }
    }

    static string Do(string command, string text, IPEndPoint server)
    {
        switch (command)
        {
            case "connect": return Connect(server).ToString();
            case "send": return Send(text + "\n").ToString();
            case "receive": return Receive(int.Parse(text));
            case "reset": socket.LingerState = new LingerOption(true, 0); break; // RST in place of FIN
        }
        socket.Close();
        return "done";
    }

    // Begins an operation, and waits for its callback.
    static SocketError Complete(SocketAsyncEventArgs operation, Func<SocketAsyncEventArgs, bool> begin)
    {
        using (var done = new ManualResetEvent(false))
        {
            operation.Completed += (sender, e) => done.Set();
            if (begin(operation)) done.WaitOne(); // else it is complete, and there is no callback
            return operation.SocketError;
        }
    }

    static SocketError Connect(IPEndPoint server)
    {
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        return Complete(new SocketAsyncEventArgs { RemoteEndPoint = server }, socket.ConnectAsync);
    }

    static SocketError Send(string text)
    {
        var operation = new SocketAsyncEventArgs();
        var bytes = Encoding.ASCII.GetBytes(text);
        operation.SetBuffer(bytes, 0, bytes.Length);
        return Complete(operation, socket.SendAsync);
    }

    static string Receive(int milliseconds)
    {
        var bytes = new byte[1000];
        socket.ReceiveTimeout = milliseconds;
        try
        {
            var count = socket.Receive(bytes);
            return count == 0 ? "the end" : Encoding.ASCII.GetString(bytes, 0, count).Split('\n')[0];
        }
        catch (SocketException e)
        {
            // Mono's code for a receive timeout (EAGAIN) is WouldBlock or TimedOut.
            var isLate = e.SocketErrorCode == SocketError.TimedOut || e.SocketErrorCode == SocketError.WouldBlock;
            return isLate ? "nothing" : e.SocketErrorCode.ToString();
        }
    }
}
