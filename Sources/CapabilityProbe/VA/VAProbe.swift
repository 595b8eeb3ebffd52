import FoundationEssentials
import Subprocess
import SystemPackage

/// Asks a VA driver in a short-lived child of this program, so that a driver that crashes or hangs affects only the
/// child.
package enum VAProbe {
    /// How long a driver may take. A driver that has to wake a GPU takes half a second.
    package static let limit = Duration.seconds(3)

    /// - Parameters:
    ///   - node: `/dev/dri/renderD128`
    ///   - program: The program to run, with the node as its last argument. It prints a ``VAReport`` as JSON, or the
    ///     reason for a failure on standard error with an exit status other than 0.
    ///   - environment: The complete environment of the child.
    package static func ask(
        _ node: String, program: [String], environment: [String: String], limit: Duration = Self.limit
    ) async -> VAResult {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let configuration = Configuration(
            executable: .path(FilePath(program[0])), arguments: Arguments(Array(program.dropFirst()) + [node]),
            // A crash is a valid answer here, and a backtrace of it could take longer than the limit.
            environment: .custom(Self.variables(environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 })),
            platformOptions: options)
        return await withTaskGroup(of: VAResult?.self) { tasks in
            tasks.addTask { await run(configuration) }
            tasks.addTask {
                (try? await ContinuousClock().sleep(for: limit)) == nil
                    ? nil : .failed(VAFailure(.hung, "the VA driver hangs: it gave no answer within \(limit)"))
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first ?? .failed(VAFailure(.unanswered, "the question was cancelled"))
        }
    }

    private static func variables(_ environment: [String: String]) -> [Environment.Key: String] {
        Dictionary(
            environment.compactMap { name, value in Environment.Key(rawValue: name).map { ($0, value) } },
            uniquingKeysWith: { $1 })
    }

    private static func run(_ configuration: Configuration) async -> VAResult? {
        do {
            let result = try await Subprocess.run(
                configuration, input: .none, output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            switch result.terminationStatus {
            case .exited(0):
                guard let report = try? JSONDecoder().decode(VAReport.self, from: Data(result.standardOutput.utf8))
                else {
                    return .failed(VAFailure(.unanswered, "the VA driver's answer cannot be read"))
                }
                return .report(report)
            case .exited:
                let said = result.standardError.split(separator: "\n").last.map(String.init) ?? ""
                return .failed(VAFailure(.refused, said.isEmpty ? "the VA driver does not start" : said))
            case .signaled(let signal):
                return .failed(VAFailure(.crashed, "the VA driver crashes (signal \(signal))"))
            }
        } catch {
            return .failed(VAFailure(.unanswered, "the VA driver cannot be asked: \(error)"))
        }
    }
}
