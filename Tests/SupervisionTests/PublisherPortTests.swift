import Configuration
import Ingest
import Status
import Testing

@testable import Supervision

/// A source and its RTMP port, with processes that are none.
@Suite struct PublisherPortTests {
    @Test("a publisher that comes while its source becomes wanted is taken, though that is told slowly")
    func comesWhileWanted() async throws {
        let source = RTMPSource(listen: SocketAddress(host: "127.0.0.1", port: 1935), app: "live")
        let ledger = ProcessLedger()
        ledger.stands(.starting, wanted: true, starts: 1)
        #expect(ledger.now.sourceState(isListener: true) == .waiting)
        let port = PublisherPort(source, box: .none(), ledger: ledger, logger: Box.silent)
        let process = SlowProcess()
        async let wanted: Void = Offload.run { port.want(true, process) }
        await process.slow.interrupt { port.handle(.began(address: "127.0.0.1"), process) }
        await wanted
        #expect(process.slow.all == [.want(false), .want(true)])
        // A publisher is there, and no picture of it.
        #expect(ledger.now.sourceState(isListener: true) == .connecting)
    }
}
