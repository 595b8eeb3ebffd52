import Foundation
import Synchronization

/// Starts programs from one thread that never ends.
///
/// The kernel sends a parent-death signal when the *thread* that started the child ends, not its process. Threads of
/// Swift's pool come and go, so a child of such a thread would be killed in the middle of a test.
final class Spawner: Sendable {
    static let shared = Spawner()

    struct Request: Sendable {
        var path: String
        var arguments: [String]
        var environment: [String]
        var folder: String?
        /// The descriptors that become 0, 1 and 2 of the child.
        var descriptors: [Int32]
    }

    private typealias Job = @Sendable () -> Void
    private let jobs = Mutex<[Job]>([])
    private let waiting = DispatchSemaphore(value: 0)

    private init() {
        // A pipe whose reader has closed must not end the tests.
        signal(SIGPIPE, SIG_IGN)
        let thread = Thread { [self] in
            while true {
                waiting.wait()
                jobs.withLock { $0.removeFirst() }()
            }
        }
        thread.name = "spawner"
        thread.start()
    }

    func spawn(_ request: Request) async throws -> Int32 {
        try await withCheckedThrowingContinuation { continuation in
            jobs.withLock {
                $0.append { continuation.resume(with: Result { try Self.spawnHere(request) }) }
            }
            waiting.signal()
        }
    }

    // glibc has both since 2.34, and its Swift module does not export them.
    private typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>
    private static let closeFrom = function(
        "posix_spawn_file_actions_addclosefrom_np",
        as: (@convention(c) (Actions, Int32) -> Int32).self)
    private static let changeFolder = function(
        "posix_spawn_file_actions_addchdir_np",
        as: (@convention(c) (Actions, UnsafePointer<CChar>) -> Int32).self)

    private static func function<Function>(
        _ name: String, as type: Function.Type
    ) -> Result<Function, Failed> {
        guard let symbol = dlsym(nil, name) else {
            return .failure(Failed("the C library has no \(name)"))
        }
        return .success(unsafeBitCast(symbol, to: type))
    }

    private static func spawnHere(_ request: Request) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Descriptors above 2 are closed last, so only a source below 3 could be overwritten, and there is none.
        for (target, source) in request.descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        _ = try closeFrom.get()(&actions, 3)
        if let folder = request.folder { _ = try changeFolder.get()(&actions, folder) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID: the child leads a group of its own
        posix_spawnattr_setflags(
            &attributes,
            Int16(newSession | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))

        var words: [UnsafeMutablePointer<CChar>?] = request.arguments.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = request.environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var pid: Int32 = 0
        let code = posix_spawn(&pid, request.path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw Failed("cannot start \(request.path): \(errnoText(code))") }
        return pid
    }
}
