import Foundation
import ServiceManager
import TestSupport
import Testing

@Suite struct StartPaceTests {
    private static let second: Int64 = 1_000_000

    @Test("after five starts in a row each waits longer, up to ten seconds")
    func slows() {
        var pace = StartPace()
        var now: Int64 = 0
        let pauses = (0..<18).map { _ in
            let pause = pace.begin(now: now)
            now += Int64(pause) * Self.second + Self.second / 10
            return pause
        }
        #expect(pauses == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10])
    }

    @Test("a service that ran for more than ten seconds is started at once")
    func forgets() {
        var pace = StartPace()
        for start in 0..<20 { #expect(pace.begin(now: Int64(start) * 11 * Self.second) == 0) }
        #expect(pace.starts == 1)
    }

    @Test(
        "a written pace is read again, and another text is rejected",
        arguments: ["", "1", "a b", "-1 5", "5 -1", "1 2 3", "99999999999999999999 1"])
    func text(nonsense: String) {
        var pace = StartPace()
        _ = pace.begin(now: 123)
        #expect(StartPace(pace.text) == pace)
        #expect(StartPace(nonsense) == nil)
    }

    @Test("starts are counted in RUNTIME_DIRECTORY, and a wait is sent as a status")
    func keeps() throws {
        let folder = try TemporaryFolder()
        let manager = try DatagramSocket(folder.path("notify"))
        let environment = ["NOTIFY_SOCKET": manager.name, "RUNTIME_DIRECTORY": folder.path("")]
        var waits: [Int] = []
        for start in 0..<7 {
            StartPace.keep(environment: environment, now: Int64(start) * Self.second) { waits.append($0) }
        }
        #expect(waits == [1, 2])
        #expect(manager.receive()?.hasPrefix("STATUS=started 6 times") == true)
        // Without a manager nothing is written, and no start waits.
        StartPace.keep(environment: ["RUNTIME_DIRECTORY": "/nowhere"], now: 0) { waits.append($0) }
        StartPace.keep(environment: environment.merging(["RUNTIME_DIRECTORY": "/nowhere"]) { $1 }, now: 0) {
            waits.append($0)
        }
        #expect(waits.count == 2)
    }
}
