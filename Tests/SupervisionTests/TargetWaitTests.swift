import FFmpeg
import Synchronization
import TestSupport
import Testing

@testable import Supervision

/// A publisher that has to know the codec before it connects.
@Suite struct TargetWaitTests {
    @Test("the codec is not known yet -> the publisher waits")
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

    @Test("a publisher is stopped -> it waits no longer", arguments: [ChildHandle.Stop.gracefully, .now])
    func stopped(stop: ChildHandle.Stop) async {
        let child = ChildHandle()
        let codec = await TargetPublisher.awaited(by: child) { () -> String? in
            child.stop(stop)
            return nil
        }
        #expect(codec == nil)
    }
}
