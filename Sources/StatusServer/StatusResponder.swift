import HTTPTypes
import HummingbirdCore
import NIOCore
import Status
import Synchronization

/// Answers requests from the latest snapshot. It is read-only.
final class StatusResponder: Sendable {
    private let status: SharedStatus
    private let streams: EventStreams
    private let limits: ServerLimits
    /// The latest snapshot as text, with the time at which it was taken.
    private let metrics = Mutex<(updated: Double, text: ByteBuffer)?>(nil)
    private let json = Mutex<(updated: Double, text: ByteBuffer)?>(nil)

    init(status: SharedStatus, streams: EventStreams, limits: ServerLimits) {
        self.status = status
        self.streams = streams
        self.limits = limits
    }

    private enum Kind {
        static let text = "text/plain; charset=utf-8"
        static let metrics = "text/plain; version=0.0.4; charset=utf-8"
        static let json = "application/json"
    }

    func respond(to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        guard request.method == .get || request.method == .head else {
            return try await answer(
                request, writer, .methodNotAllowed, "this server is read-only: use GET or HEAD\n", [.allow: "GET, HEAD"]
            )
        }
        switch request.uri.path {
        case "/metrics":
            try await answer(request, writer, Kind.metrics) { self.rendered($0, self.metrics, PrometheusText.render) }
        case "/api/status":
            try await answer(request, writer, Kind.json) {
                self.rendered($0, self.json) { (try? StatusJSON.render($0, isPretty: false)) ?? [] }
            }
        case "/api/events": try await listen(request, writer, channel)
        case "/healthz":
            try await answer(request, writer, Kind.text) { _ in ByteBuffer(string: "ok\n") }
        case "/readyz":
            let hindrances = await status.snapshot(within: limits.snapshot).map(\.hindrances) ?? [Self.silence]
            let isReady = hindrances.isEmpty
            try await answer(
                request, writer, isReady ? .ok : .serviceUnavailable,
                isReady ? "ready\n" : hindrances.map { $0 + "\n" }.joined())
        default:
            try await answer(
                request, writer, .notFound,
                "not found; this server has /metrics, /healthz, /readyz, /api/status and /api/events\n")
        }
    }

    private static let silence = "the supervisor does not answer"

    // MARK: Answers

    /// Answers with a rendering of the snapshot, or with 503 if there is none.
    private func answer(
        _ request: Request, _ writer: consuming ResponseWriter, _ type: String, _ body: (BoxSnapshot) -> ByteBuffer
    ) async throws {
        guard let snapshot = await status.snapshot(within: limits.snapshot) else {
            return try await answer(request, writer, .serviceUnavailable, Self.silence + "\n")
        }
        try await answer(request, writer, .ok, type, body(snapshot))
    }

    private func answer(
        _ request: Request, _ writer: consuming ResponseWriter, _ code: HTTPResponse.Status, _ text: String,
        _ more: HTTPFields = [:]
    ) async throws {
        try await answer(request, writer, code, Kind.text, ByteBuffer(string: text), more)
    }

    private func answer(
        _ request: Request, _ writer: consuming ResponseWriter, _ code: HTTPResponse.Status, _ type: String,
        _ body: ByteBuffer,
        _ more: HTTPFields = [:]
    ) async throws {
        var fields = more
        fields[.contentType] = type
        fields[.contentLength] = "\(body.readableBytes)"
        fields[.cacheControl] = "no-store"
        let isHead = request.method == .head
        try await writer.write(
            response: HTTPResponse(status: code, headerFields: fields),
            body: isHead ? ResponseBody() : ResponseBody(byteBuffer: body))
    }

    private func rendered(
        _ snapshot: BoxSnapshot, _ cache: borrowing Mutex<(updated: Double, text: ByteBuffer)?>,
        _ render: (BoxSnapshot) -> [UInt8]
    ) -> ByteBuffer {
        cache.withLock { cache in
            if let cache, cache.updated == snapshot.updated { return cache.text }
            let text = ByteBuffer(bytes: render(snapshot))
            cache = (snapshot.updated, text)
            return text
        }
    }

    // MARK: Events

    private func listen(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let fields: HTTPFields = [.contentType: EventStreams.mediaType, .cacheControl: "no-store"]
        guard request.method == .get else {
            return try await writer.writeResponse(HTTPResponse(status: .ok, headerFields: fields))
        }
        guard let subscription = await streams.listen(channel) else {
            return try await answer(
                request, writer, .serviceUnavailable, "\(limits.listeners) clients listen already; try again later\n")
        }
        do {
            var body = try await writer.writeHead(HTTPResponse(status: .ok, headerFields: fields))
            try await body.write(ByteBuffer(string: ": streambox\n\n"))
            for await piece in subscription.pieces { try await body.write(piece) }
            try await body.finish(nil)
            await streams.leave(subscription)
        } catch {
            await streams.leave(subscription)
            throw error
        }
    }
}
