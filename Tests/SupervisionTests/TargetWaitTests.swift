import FFmpeg
import Synchronization
import TestSupport
import Testing

@testable import Supervision

/// A publisher that has to know what comes before it connects.
@Suite struct TargetWaitTests {
    @Test("a publisher waits until the codec is known")
    func known() async {
        let looks = Mutex(0)
        let codec = await TargetPublisher.awaited(by: ChildHandle()) { () -> String? in
            looks.withLock { looks in
                looks += 1
                return looks < 3 ? nil : "hevc"
            }
        }
        #expect(codec == "hevc" && looks.withLock { $0 } == 3)
    }

    @Test("a publisher that is stopped waits no longer", arguments: [ChildHandle.Stop.gracefully, .now])
    func stopped(stop: ChildHandle.Stop) async {
        let child = ChildHandle()
        let codec = await TargetPublisher.awaited(by: child) { () -> String? in
            child.stop(stop)
            return nil
        }
        #expect(codec == nil)
    }
}
