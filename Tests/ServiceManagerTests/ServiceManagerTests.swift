import Synchronization
import Testing

@testable import ServiceManager

@Suite struct ServiceManagerTests {
    /// The messages that a manager received, and whether it receives any.
    private final class RecordingManager: Sendable {
        let heard = Mutex<[String]>([])
        let isOpen = Mutex(true)

        func make(watchdog: Duration? = nil) -> ServiceManager {
            let send = { @Sendable (message: NotifyMessage) in
                guard self.isOpen.withLock({ $0 }) else { return false }
                self.heard.withLock { $0.append(message.text) }
                return true
            }
            return ServiceManager(watchdog: watchdog, now: { 42 }, send: send)
        }

        /// The messages since the last call.
        var messages: [String] {
            heard.withLock { heard in
                defer { heard = [] }
                return heard
            }
        }
    }

    @Test("ready is sent until it succeeds, and then no more")
    func ready() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        recorder.isOpen.withLock { $0 = false }
        manager.ready()
        #expect(!manager.isReady)
        recorder.isOpen.withLock { $0 = true }
        manager.ready()
        manager.ready()
        #expect(manager.isReady)
        #expect(recorder.messages == ["READY=1"])
    }

    @Test("a status is sent only when it has changed")
    func status() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        manager.update("main is not on air yet")
        manager.update("main is not on air yet")
        manager.update("main shows slate")
        #expect(recorder.messages == ["STATUS=main is not on air yet", "STATUS=main shows slate"])
    }

    @Test("a reload is sent with its time, and ends with ready and the result")
    func reload() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        manager.ready()
        manager.update("main shows slate")
        _ = recorder.messages
        manager.reloading("reading")
        manager.update("main shows rtmp-0")
        manager.reloaded("nothing differs")
        #expect(
            recorder.messages == ["RELOADING=1\nMONOTONIC_USEC=42\nSTATUS=reading", "READY=1\nSTATUS=nothing differs"])
        manager.update("main shows slate")
        #expect(recorder.messages == ["STATUS=main shows slate"], "the result replaces the earlier status")
    }

    @Test("overlapping reloads each send RELOADING, and the last one sends READY")
    func nestedReloads() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        manager.ready()
        _ = recorder.messages
        manager.reloading("one")
        manager.reloading("two")
        manager.reloaded("two is refused: another one is under way")
        #expect(recorder.messages == ["one", "two"].map { "RELOADING=1\nMONOTONIC_USEC=42\nSTATUS=\($0)" })
        manager.reloaded("one is done")
        #expect(recorder.messages == ["READY=1\nSTATUS=one is done"])
    }

    @Test("the end of a reload is sent until it succeeds")
    func unheardEnd() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        manager.ready()
        manager.reloading("reading")
        _ = recorder.messages
        recorder.isOpen.withLock { $0 = false }
        manager.reloaded("done")
        manager.update("main shows slate")
        #expect(recorder.messages.isEmpty)
        recorder.isOpen.withLock { $0 = true }
        manager.update("main shows slate")
        manager.update("main shows slate")
        #expect(recorder.messages == ["READY=1\nSTATUS=done", "STATUS=main shows slate"])
    }

    @Test("a reload before the service is ready does not make it ready")
    func earlyReload() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        manager.reloading("reading")
        manager.ready()
        manager.reloaded("done")
        #expect(recorder.messages == ["READY=1"])
    }

    @Test("a sign of life extends the limit of the start, but not after ready")
    func slowStart() {
        let recorder = RecordingManager()
        let manager = recorder.make(watchdog: .milliseconds(1500))
        manager.alive()
        manager.ready()
        manager.alive()
        #expect(recorder.messages == ["WATCHDOG=1\nEXTEND_TIMEOUT_USEC=1500000", "READY=1", "WATCHDOG=1"])
    }

    @Test("after stopping only signs of life are sent")
    func stopping() {
        let recorder = RecordingManager()
        let manager = recorder.make()
        manager.ready()
        manager.reloading("reading")
        _ = recorder.messages
        manager.stopping("ending")
        manager.stopping("ending")
        manager.reloaded("done")
        manager.ready()
        manager.update("main shows slate")
        manager.alive()
        #expect(recorder.messages == ["STOPPING=1\nSTATUS=ending", "WATCHDOG=1"])
    }

    @Test("the watchdog's time counts only if it is for this process")
    func watchdog() {
        #expect(ServiceManager.watchdog(["WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "77"], 77) == .seconds(15))
        #expect(ServiceManager.watchdog(["WATCHDOG_USEC": "15000000"], 77) == .seconds(15))
        #expect(ServiceManager.watchdog(["WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "78"], 77) == nil)
        for text in ["0", "-1", "soon", ""] { #expect(ServiceManager.watchdog(["WATCHDOG_USEC": text], 77) == nil) }
        #expect(ServiceManager.watchdog([:], 77) == nil)
    }

    @Test("without NOTIFY_SOCKET there is no service manager")
    func noManager() {
        #expect(ServiceManager(environment: [:]) == nil)
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": ""]) == nil)
    }
}
