import Foundation
import Synchronization

/// Everything a test with real programs needs, cleared away together: a folder and the programs started in it.
///
/// Get one from `withStage`. When the test throws, the last lines of every program are printed (always with
/// `STREAMBOX_TEST_VERBOSE=1`).
package final class Stage: Sendable {
    package let folder: TemporaryFolder
    /// Set in the environment of every program, and inherited by what those start.
    package let mark: String

    private let programs = Mutex<[TestProcess]>([])
    private static let counter = Atomic(0)

    init() throws {
        folder = try TemporaryFolder()
        mark = "\(getpid())-\(Self.counter.add(1, ordering: .relaxed).newValue)"
    }

    /// Starts a program that ends with the stage.
    ///
    /// What it would leave in the folder for temporary files when it is killed goes with the stage.
    ///
    /// - Parameter environment: on top of the environment of the tests; nil takes a variable away.
    package func program(
        _ name: String, _ arguments: [String] = [], environment: [String: String?] = [:],
        folder: String? = nil, input: TestProcess.Input = .none, output: TestProcess.Output = .lines
    ) async throws -> TestProcess {
        var variables = environment
        variables[Leftovers.variable] = mark
        variables["TMPDIR"] = environment["TMPDIR"] ?? self.folder.path
        let program = try await TestProcess.start(
            name, arguments, environment: variables, folder: folder ?? self.folder.path,
            input: input, output: output)
        programs.withLock { $0.append(program) }
        return program
    }

    /// Ends one program before the rest: SIGKILL to its group, reaped.
    package func end(_ program: TestProcess) async { await program.end() }

    /// What still runs of everything that was started here.
    package var leftovers: [Leftovers.Process] { Leftovers.marked(mark) }

    /// Kills what is left.
    ///
    /// - Throws: `Failed` when something outlived the programs of the stage.
    func clear() async throws {
        for program in programs.withLock({ $0.reversed() }) { await program.end() }
        let limit = ContinuousClock.now + Limit.seconds(2)
        var left = leftovers
        while !left.isEmpty && ContinuousClock.now < limit {
            // Not Task.sleep: the task may be cancelled, and this must be done all the same.
            await withCheckedContinuation { continuation in
                DispatchQueue.global().asyncAfter(deadline: .now() + 0.02) { continuation.resume() }
            }
            left = leftovers
        }
        guard !left.isEmpty else { return }
        for process in left { kill(process.pid, SIGKILL) }
        throw Failed(
            "outlived the test: " + left.map(\.description).joined(separator: "; "))
    }

    func report() {
        for program in programs.withLock({ $0 }) { complain(program.tail) }
    }
}

/// Runs `body` with a stage that is cleared afterwards, also when `body` throws. A few at a time: the others wait.
///
/// - Throws: what `body` throws; `Failed` when a process outlived the programs of the stage.
package func withStage<Result>(
    isolation: isolated (any Actor)? = #isolation,
    _ body: (Stage) async throws -> Result
) async throws -> Result {
    await Turns.stages.take()
    defer { Turns.stages.give() }
    let stage = try Stage()
    let result: Result
    do {
        result = try await body(stage)
    } catch {
        stage.report()
        try? await stage.clear()
        throw error
    }
    if ProcessInfo.processInfo.environment["STREAMBOX_TEST_VERBOSE"] == "1" { stage.report() }
    try await stage.clear()
    return result
}
