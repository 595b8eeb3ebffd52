import Foundation

/// Prometheus' own tool as the judge of metrics and rules.
package enum Promtool {
    /// What it has to say about metrics: mistakes and remarks, a line each.
    package static func remarks(on metrics: [UInt8]) async throws -> [String] {
        let done = try await TestProcess.run("promtool", ["check", "metrics"], input: .bytes(metrics))
        let remarks = (done.text + done.errors).split(separator: "\n").map(String.init)
        guard done.ending == .exited(0) || !remarks.isEmpty else {
            throw Failed("promtool check metrics: \(done.ending)")
        }
        return remarks
    }

    /// - Throws: `Failed` with the first mistakes.
    package static func checkRules(_ path: String) async throws {
        _ = try await TestProcess.run("promtool", ["check", "rules", path]).success("promtool check rules \(path)")
    }

    /// Runs the unit tests of rules.
    ///
    /// - Throws: `Failed` with what was expected and what came.
    package static func testRules(_ path: String) async throws {
        let done = try await TestProcess.run("promtool", ["test", "rules", path], within: .seconds(60))
        guard done.ending == .exited(0) else {
            throw Failed("promtool test rules \(path): \(done.ending)\n\(done.text)\(done.errors)")
        }
    }
}

/// The metrics of a text as Prometheus reads it: names, labels, values of labels.
package struct MetricNames: Sendable {
    /// Of each metric: the values of each label. Those without a sample have no labels.
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

    /// What an expression or a text with `{{labels}}` names that is not there.
    ///
    /// - Parameter labels: Those that the text may name beside the ones of its metrics.
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
