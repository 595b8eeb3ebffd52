import Foundation

/// A minimal HTTP client for a service on this machine.
package enum HTTP {
    /// Reads the body of an answer with status 200 to a GET on 127.0.0.1.
    ///
    /// - Throws: `Failed` without a connection, without the whole of an answer in 30 s, or with another status.
    package static func get(port: Int, _ path: String) async throws -> String {
        let answer = try await exchange(port: port, path)
        guard answer.status == 200 else { throw Failed("GET \(path): status \(answer.status)") }
        return answer.body
    }

    /// Reads status and body of the answer to a GET on 127.0.0.1, with any status.
    package static func exchange(port: Int, _ path: String) async throws -> (status: Int, body: String) {
        try await onOwnThread { try exchangeNow(port: port, path) }
    }

    private static func exchangeNow(port: Int, _ path: String) throws -> (status: Int, body: String) {
        let connection = try connect(port: port)
        defer { close(connection) }
        // Not the limit of the answer: on a busy machine a single read may take longer.
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(
            connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let request = Array("GET \(path) HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        guard send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else { throw Failed("GET \(path): \(errnoText())") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let end = ContinuousClock.now + Limit.seconds(30)
        while true {
            guard .now < end else { throw Failed("GET \(path): no whole answer in time") }
            let count = recv(connection, &buffer, buffer.count, 0)
            if count < 0 && (errno == EAGAIN || errno == EINTR) { continue }
            guard count >= 0 else { throw Failed("GET \(path): \(errnoText())") }
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        let status = text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) }
        guard let status, let body = text.range(of: "\r\n\r\n") else {
            throw Failed("GET \(path): no answer in HTTP")
        }
        return (status, String(text[body.upperBound...]))
    }
}
