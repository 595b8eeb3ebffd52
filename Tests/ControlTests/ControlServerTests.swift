import Control
import Foundation
import Status
import Synchronization
import TestSupport
import Testing

/// The control socket, with the real server and many kinds of clients.
@Suite struct ControlServerTests {
    private final class Service: ControlledService {
        let requests = Mutex<[ControlRequest]>([])

        func answer(_ request: ControlRequest) async -> ControlReply {
            requests.withLock { $0.append(request) }
            switch request.command {
            case .status:
                return ControlReply(.done, "", status: BoxSnapshot(version: "1", ffmpeg: "5.1", started: 1, updated: 2))
            // More than the buffer of a socket holds.
            case .stopGroup where request.name == "much":
                return ControlReply(.done, String(repeating: "x", count: 4 << 20))
            case .handover: return ControlReply(.refused, "no such encoder; usable here: libx264")
            default: return ControlReply(.done, "done \(request.name ?? "")")
            }
        }
    }

    private func withServer(patience: Duration = .seconds(30), _ body: (String, Service) async throws -> Void)
        async throws
    {
        let folder = try TemporaryFolder()
        let service = Service()
        let server = ControlServer(path: folder.path("control.sock"), service: service, patience: patience)
        let opened = try await server.open()
        let running = Task { await server.run(opened) }
        do {
            try await body(server.path, service)
        } catch {
            running.cancel()
            await running.value
            throw error
        }
        running.cancel()
        await running.value
        #expect(!FileManager.default.fileExists(atPath: server.path))
    }

    private func ask(_ request: ControlRequest, at path: String) async throws -> ControlReply {
        try await onOwnThread { try ControlClient(path: path).send(request) }
    }

    /// Sends bytes, closes the sending side, and reads to the end.
    private func exchange(_ bytes: [UInt8], at path: String) async throws -> String {
        try await onOwnThread { try Self.exchange(bytes, at: path) }
    }

    private static func exchange(_ bytes: [UInt8], at path: String) throws -> String {
        let descriptor = try RawClient.reach(path)
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // The server may answer and close before everything is sent.
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        var reply: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while case let count = read(descriptor, &piece, piece.count), count > 0 { reply += piece[..<count] }
        return String(decoding: reply, as: UTF8.self)
    }

    @Test("each request reaches the service, and its answer reaches the client")
    func requests() async throws {
        try await withServer { path, service in
            for command in ControlRequest.Command.allCases {
                let request = ControlRequest(command, name: "hd", encoder: "libx264")
                let reply = try await ask(request, at: path)
                #expect(reply.outcome == (command == .handover ? .refused : .done))
                #expect((reply.status != nil) == (command == .status))
                #expect(service.requests.withLock { $0.last } == request)
            }
        }
    }

    @Test("a line that is not a request is answered with the commands there are")
    func malformed() async throws {
        try await withServer { path, service in
            for line in [
                "", "{", "null", "{\"command\":\"dance\"}", "[1,2]", "\u{0}\u{1}",
                String(repeating: "[", count: 60_000), String(repeating: "{\"a\":", count: 10_000),
            ] {
                let reply = try await exchange(Array("\(line)\n".utf8), at: path)
                #expect(reply.contains("mistaken") && reply.contains("status, reload"), "\(line): \(reply)")
            }
            #expect(service.requests.withLock { $0.isEmpty })
        }
    }

    @Test("a request that is too long or without a line feed is answered with the reason")
    func size() async throws {
        try await withServer { path, service in
            let reply = try await exchange([UInt8](repeating: UInt8(ascii: "a"), count: 300_000), at: path)
            #expect(reply.contains("at most 65536 bytes"), "\(reply)")
            #expect(
                try await exchange(Array("{\"command\":\"status\"".utf8), at: path).contains(
                    "ends without a line feed"))
            #expect(service.requests.withLock { $0.isEmpty })
            #expect(try await ask(ControlRequest(.reload), at: path).outcome == .done)
        }
    }

    @Test("a client that sends too slowly gets the reason and is closed")
    func slow() async throws {
        try await withServer(patience: .milliseconds(200)) { path, service in
            for start in ["", "{\"comm"] {
                let client = try await RawClient.connected(toSocket: path, count: 1)[0]
                client.send(start)
                let answer = await client.read()
                #expect(answer.isClosed && answer.text.contains("in time"), "\(answer.text)")
            }
            #expect(service.requests.withLock { $0.isEmpty })
        }
    }

    @Test("a silent client loses its place; one client too many is asked to try again")
    func silent() async throws {
        try await withServer(patience: .milliseconds(500)) { path, _ in
            let silent = try (0..<ControlServer.mostClients).map { _ in try RawClient.reach(path) }
            defer { for descriptor in silent { close(descriptor) } }
            try await eventually("a place to be free again") {
                (try? await ask(ControlRequest(.reload), at: path).outcome) == .done
            }
        }
    }

    @Test("a client that does not read its answer loses its place")
    func unread() async throws {
        // Long enough for all of them to send a request on a busy machine.
        try await withServer(patience: .seconds(5)) { path, service in
            let request = Array(#"{"command":"group-stop","name":"much"}"#.utf8) + [10]
            let deaf = try (0..<ControlServer.mostClients).map { _ in
                let descriptor = try RawClient.reach(path)
                #expect(send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count)
                return descriptor
            }
            defer { for descriptor in deaf { close(descriptor) } }
            try await eventually("all of them to be answered") {
                service.requests.withLock { $0.count } >= ControlServer.mostClients
            }
            try await eventually("a place to be free again") {
                (try? await ask(ControlRequest(.reload), at: path).outcome) == .done
            }
        }
    }

    @Test("only its owner can use the socket; a dead one is replaced, a live one is not")
    func ownership() async throws {
        try await withServer { path, service in
            let mode = try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
            #expect(mode == 0o600)
            await #expect(throws: ControlError.self) { try await ControlServer(path: path, service: service).open() }
        }
        let folder = try TemporaryFolder()
        let path = folder.path("control.sock")
        // Bound and closed, as a killed service leaves its socket.
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(dead, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        close(dead)
        #expect(throws: ControlError.self) { try ControlClient(path: path).send(ControlRequest(.status)) }
        let server = ControlServer(path: path, service: Service())
        let opened = try await server.open()
        let running = Task { await server.run(opened) }
        #expect(try await ask(ControlRequest(.reload), at: path).outcome == .done)
        running.cancel()
        await running.value
    }

    @Test("without a service the client names the path and the fix")
    func noService() async throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ControlError.self) {
            try ControlClient(path: folder.path("control.sock")).send(ControlRequest(.status))
        }
        #expect(error?.description.contains(folder.path("control.sock")) == true)
        #expect(error?.description.contains("streambox run") == true)
    }
}
