import Foundation

/// The values of a metrics text, as a scraper reads them.
package struct Metrics: Sendable {
    /// The values by name and labels, as the text has them.
    package let values: [String: Double]

    package init(_ text: String) {
        var values: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                continue
            }
            values[String(line[..<space])] = value
        }
        self.values = values
    }

    package init(values: [String: Double]) { self.values = values }

    package subscript(_ series: String) -> Double? { values[series] }

    /// The sum over all series of this name whose labels contain all of these texts.
    package func sum(_ name: String, _ labels: String...) -> Double {
        values.filter { series, _ in series.hasPrefix(name + "{") && labels.allSatisfy { series.contains($0) } }.values
            .reduce(0, +)
    }

    /// The series that only grow.
    package var counters: [String: Double] {
        values.filter { series, _ in
            let name = series.prefix { $0 != "{" }
            return ["_total", "_bucket", "_count", "_sum"].contains { name.hasSuffix($0) }
        }
    }

    /// The counters that are lower than before, or are gone.
    ///
    /// - Parameter mayGo: Whether a series may be gone for a while.
    package func fallen(since before: Metrics, mayGo: (String) -> Bool = { _ in false }) -> [String] {
        before.counters.compactMap { series, old in
            guard let now = values[series] else { return mayGo(series) ? nil : "\(series) is gone" }
            return now < old ? "\(series): \(old) → \(now)" : nil
        }
    }
}
