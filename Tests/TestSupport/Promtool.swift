import Foundation

/// Prometheus' own tool, which checks metrics and rules.
package enum Promtool {
    /// Checks metrics.
    ///
    /// - Returns: The mistakes and remarks, one per line.
    package static func remarks(on metrics: [UInt8]) async throws -> [String] {
        let done = try await TestProcess.run("promtool", ["check", "metrics"], input: .bytes(metrics))
        let remarks = (done.text + done.errors).split(separator: "\n").map(String.init)
        guard done.ending == .exited(0) || !remarks.isEmpty else {
            throw Failed("promtool check metrics: \(done.ending)")
        }
        return remarks
    }

    /// Checks rules.
    ///
    /// - Throws: `Failed` with the first mistakes.
    package static func checkRules(_ path: String) async throws {
        _ = try await TestProcess.run("promtool", ["check", "rules", path]).success("promtool check rules \(path)")
    }

    /// Runs the unit tests of rules.
    ///
    /// - Throws: `Failed` with the expected and the actual result.
    package static func testRules(_ path: String) async throws {
        let done = try await TestProcess.run("promtool", ["test", "rules", path], within: .seconds(60))
        guard done.ending == .exited(0) else {
            throw Failed("promtool test rules \(path): \(done.ending)\n\(done.text)\(done.errors)")
        }
    }
}

/// The names, labels and label values of a metrics text.
package struct MetricNames: Sendable {
    /// The values of each label, by metric. A metric without a sample has no labels.
    package private(set) var metrics: [String: [String: Set<String>]] = [:]

    package init(_ text: String) {
        for line in text.split(separator: "\n") {
            if let type = line.firstMatch(of: /^# TYPE (\S+) (\S+)/) {
                let names =
                    type.2 == "histogram" ? ["_bucket", "_sum", "_count"].map { "\(type.1)\($0)" } : [String(type.1)]
                for name in names where metrics[name] == nil { metrics[name] = [:] }
            } else if let sample = line.firstMatch(of: #/^([a-z_]+)(?:\{(.*)\})? /#) {
                for label in (sample.2 ?? "").matches(of: #/([a-z_]+)="((?:[^"\\]|\\.)*)"/#) {
                    metrics[String(sample.1), default: [:]][String(label.1), default: []].insert(String(label.2))
                }
            }
        }
    }

    package func merging(_ other: MetricNames) -> MetricNames {
        var both = self
        for (name, labels) in other.metrics { both.metrics[name, default: [:]].merge(labels) { $0.union($1) } }
        return both
    }

    /// The names in an expression or a text with `{{labels}}` that do not exist.
    ///
    /// - Parameter labels: Further labels that the text may name.
    package func unknown(in text: String, besides labels: Set<String> = ["instance", "job"]) -> [String] {
        var unknown: [String] = []
        var known = labels
        for use in text.matches(of: /\b((?:streambox|process)_[a-z_]+)(?:\{([^}]*)\})?/) {
            let name = String(use.1)
            guard let rendered = metrics[name] else {
                unknown.append(name)
                continue
            }
            known.formUnion(rendered.keys)
            for matcher in (use.2 ?? "").matches(of: #/([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"/#) {
                let label = String(matcher.1)
                guard !labels.contains(label) else { continue }
                guard let values = rendered[label] else {
                    unknown.append("\(name){\(label)}")
                    continue
                }
                guard label == "state" else { continue }
                for value in matcher.3.split(separator: "|") where !values.contains(String(value)) {
                    unknown.append("\(name){\(label)=\(value)}")
                }
            }
        }
        for list in text.matches(of: /\b(?:by|on|without|ignoring) \(([^)]*)\)/) {
            for label in list.1.split(whereSeparator: { ", ".contains($0) }) where !known.contains(String(label)) {
                unknown.append("label \(label)")
            }
        }
        for label in text.matches(of: /\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}/) where !known.contains(String(label.1)) {
            unknown.append("label \(label.1)")
        }
        return unknown
    }
}
