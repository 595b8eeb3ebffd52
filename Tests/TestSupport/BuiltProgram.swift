import Foundation

/// The programs that were built with the tests.
package enum BuiltProgram {
    /// The path of the service.
    package static let streambox: String = {
        let tests =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/streambox"
    }()
}
