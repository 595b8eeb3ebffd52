import Foundation
import Synchronization

/// The folder and the programs of one test, which are cleared away together.
///
/// Get one from `withStage`. If the test throws, the last lines of every program are printed. With
/// `STREAMBOX_TEST_VERBOSE=1` they are always printed.
package final class Stage: Sendable {
    package let folder: TemporaryFolder
    /// The mark in the environment of every program, which its children inherit.
    package let mark: String

    private let programs = Mutex<[TestProcess]>([])
    private static let counter = Atomic(0)

    init() throws {
        folder = try TemporaryFolder()
        mark = "\(getpid())-\(Self.counter.add(1, ordering: .relaxed).newValue)"
    }

    /// Starts a program that ends with the stage.
    ///
    /// Its temporary files are in the folder of the stage, so they go with the stage even if it is killed.
    ///
    /// - Parameter environment: Variables on top of the environment of the tests; nil removes a variable.
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

    /// Ends one program before the others: kills its process group with SIGKILL, and reaps it.
    package func end(_ program: TestProcess) async { await program.end() }

    /// The processes that still run of all that were started here.
    package var leftovers: [Leftovers.Process] { Leftovers.marked(mark) }

    /// Kills all programs and leftover processes.
    ///
    /// - Throws: `Failed` if a process outlived the programs of the stage.
    func clear() async throws {
        for program in programs.withLock({ $0.reversed() }) { await program.end() }
        let limit = ContinuousClock.now + Limit.seconds(2)
        var left = leftovers
        while !left.isEmpty && ContinuousClock.now < limit {
            // Not Task.sleep, which throws at once in a cancelled task.
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

/// Runs `body` with a stage that is cleared afterwards, even if `body` throws. A few run at a time, and the others
/// wait.
///
/// - Throws: An error of `body`; `Failed` if a process outlived the programs of the stage.
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
