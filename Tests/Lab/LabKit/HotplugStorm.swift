package import TestSupport

/// Events of more devices than a dock has, on the real netlink of a separate network namespace.
package enum HotplugStorm {
    /// Announces events to a program that was started with `unshare --net`.
    ///
    /// - Returns: The last event of each device: its path below `/sys`, and `add`, `change` or `remove`.
    package static func announce(
        to program: TestProcess, events: Int, devices: Int, milliseconds: Int, seed: Int
    ) async throws -> [String: String] {
        let arguments = [
            "--target", "\(program.pid)", "--net", try await LabParts.built().announcer, "\(events)", "\(devices)",
            "\(milliseconds)", "\(seed)",
        ]
        let lines = try await TestProcess.run("nsenter", arguments, within: .seconds(60)).success("the announcer").text
            .split(separator: "\n")
        return Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let words = line.split(separator: " ", maxSplits: 1).map(String.init)
                return (words[1], words[0])
            })
    }
}
