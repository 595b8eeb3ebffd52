import Synchronization
import Testing

@testable import ServiceManager

@Suite struct ServiceManagerTests {
    /// What a manager has heard, and whether it listens.
    private final class Ear: Sendable {
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

        /// What came since the last time.
        var news: [String] {
            heard.withLock { heard in
                defer { heard = [] }
                return heard
            }
        }
    }

    @Test("ready is said once, and again where it was not heard")
    func ready() {
        let ear = Ear()
        let manager = ear.make()
        ear.isOpen.withLock { $0 = false }
        manager.ready()
        #expect(!manager.isReady)
        ear.isOpen.withLock { $0 = true }
        manager.ready()
        manager.ready()
        #expect(manager.isReady)
        #expect(ear.news == ["READY=1"])
    }

    @Test("a status is said when it is news")
    func status() {
        let ear = Ear()
        let manager = ear.make()
        manager.update("main is not on air yet")
        manager.update("main is not on air yet")
        manager.update("main shows slate")
        #expect(ear.news == ["STATUS=main is not on air yet", "STATUS=main shows slate"])
    }

    @Test("a reload is told with its moment, and ends with ready and the outcome")
    func reload() {
        let ear = Ear()
        let manager = ear.make()
        manager.ready()
        manager.update("main shows slate")
        _ = ear.news
        manager.reloading("reading")
        manager.update("main shows rtmp-0")
        manager.reloaded("nothing differs")
        #expect(ear.news == ["RELOADING=1\nMONOTONIC_USEC=42\nSTATUS=reading", "READY=1\nSTATUS=nothing differs"])
        manager.update("main shows slate")
        #expect(ear.news == ["STATUS=main shows slate"], "the outcome took the place of what was told before")
    }

    @Test("overlapping reloads each send RELOADING, and the last one sends READY")
    func nestedReloads() {
        let ear = Ear()
        let manager = ear.make()
        manager.ready()
        _ = ear.news
        manager.reloading("one")
        manager.reloading("two")
        manager.reloaded("two is refused: another one is under way")
        #expect(ear.news == ["one", "two"].map { "RELOADING=1\nMONOTONIC_USEC=42\nSTATUS=\($0)" })
        manager.reloaded("one is done")
        #expect(ear.news == ["READY=1\nSTATUS=one is done"])
    }

    @Test("the end of a reload is sent again until the manager takes it")
    func unheardEnd() {
        let ear = Ear()
        let manager = ear.make()
        manager.ready()
        manager.reloading("reading")
        _ = ear.news
        ear.isOpen.withLock { $0 = false }
        manager.reloaded("done")
        manager.update("main shows slate")
        #expect(ear.news.isEmpty)
        ear.isOpen.withLock { $0 = true }
        manager.update("main shows slate")
        manager.update("main shows slate")
        #expect(ear.news == ["READY=1\nSTATUS=done", "STATUS=main shows slate"])
    }

    @Test("a reload before the service is ready does not make it ready")
    func earlyReload() {
        let ear = Ear()
        let manager = ear.make()
        manager.reloading("reading")
        manager.ready()
        manager.reloaded("done")
        #expect(ear.news == ["READY=1"])
    }

    @Test("a start that goes on has its limit extended by every sign of life, and a service that is ready has not")
    func slowStart() {
        let ear = Ear()
        let manager = ear.make(watchdog: .milliseconds(1500))
        manager.alive()
        manager.ready()
        manager.alive()
        #expect(ear.news == ["WATCHDOG=1\nEXTEND_TIMEOUT_USEC=1500000", "READY=1", "WATCHDOG=1"])
    }

    @Test("after stopping nothing else is said but signs of life")
    func stopping() {
        let ear = Ear()
        let manager = ear.make()
        manager.ready()
        manager.reloading("reading")
        _ = ear.news
        manager.stopping("ending")
        manager.stopping("ending")
        manager.reloaded("done")
        manager.ready()
        manager.update("main shows slate")
        manager.alive()
        #expect(ear.news == ["STOPPING=1\nSTATUS=ending", "WATCHDOG=1"])
    }

    @Test("the watchdog's time counts where it is meant for this process")
    func watchdog() {
        #expect(ServiceManager.watchdog(["WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "77"], 77) == .seconds(15))
        #expect(ServiceManager.watchdog(["WATCHDOG_USEC": "15000000"], 77) == .seconds(15))
        #expect(ServiceManager.watchdog(["WATCHDOG_USEC": "15000000", "WATCHDOG_PID": "78"], 77) == nil)
        for text in ["0", "-1", "soon", ""] { #expect(ServiceManager.watchdog(["WATCHDOG_USEC": text], 77) == nil) }
        #expect(ServiceManager.watchdog([:], 77) == nil)
    }

    @Test("without a manager there is none to talk to")
    func nobody() {
        #expect(ServiceManager(environment: [:]) == nil)
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": ""]) == nil)
    }
}
