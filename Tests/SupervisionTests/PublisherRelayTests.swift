import Configuration
import Ingest
import Status
import Testing

@testable import Supervision

/// A source and its RTMP port, with processes that are none.
@Suite struct PublisherRelayTests {
    @Test("a publisher that comes just while its source is wanted has a relay, though that was told slowly")
    func comesWhileWanted() async throws {
        let source = RTMPSource(listen: SocketAddress(host: "127.0.0.1", port: 1935), app: "live")
        let ledger = ProcessLedger()
        ledger.stands(.starting, wanted: true, starts: 1)
        #expect(ledger.now.sourceState(isListener: true) == .waiting)
        let relay = PublisherRelay(source, box: .none(), ledger: ledger, logger: Box.silent, demand: { nil }, latestTime: { nil })
        let process = SlowProcess()
        async let wanted: Void = Offload.run { relay.want(true, process) }
        await process.slow.interrupt { relay.handle(.began(address: "127.0.0.1"), process) }
        await wanted
        #expect(process.slow.all == [.want(false), .want(true)])
        // A publisher is there, and no picture of it.
        #expect(ledger.now.sourceState(isListener: true) == .connecting)
    }
}
