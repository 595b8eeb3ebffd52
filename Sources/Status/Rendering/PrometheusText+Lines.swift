extension PrometheusText {
    /// The labels of a series in the text format: `channel="main",group="hd"`.
    struct Labels {
        fileprivate var bytes: [UInt8] = []

        init(_ pairs: [(String, String)]) {
            for (name, value) in pairs { add(name, value) }
        }

        func adding(_ name: String, _ value: String) -> Labels {
            var labels = self
            labels.add(name, value)
            return labels
        }

        private mutating func add(_ name: String, _ value: String) {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
            bytes += name.utf8
            bytes.append(UInt8(ascii: "="))
            bytes.append(UInt8(ascii: "\""))
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "\\"), UInt8(ascii: "\""):
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(byte)
                case UInt8(ascii: "\n"):
                    bytes.append(UInt8(ascii: "\\"))
                    bytes.append(UInt8(ascii: "n"))
                default: bytes.append(byte)
                }
            }
            bytes.append(UInt8(ascii: "\""))
        }
    }

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        bytes += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        sample(name, Labels(labels), value)
    }

    mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
        bytes += name.utf8
        if !labels.bytes.isEmpty {
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.bytes
            bytes.append(UInt8(ascii: "}"))
        }
        bytes.append(UInt8(ascii: " "))
        append(value)
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func oneOf<State: RawRepresentable & Equatable>(
        _ name: String, _ states: [State], _ state: State, _ labels: Labels
    )
    where State.RawValue == String {
        for candidate in states {
            bytes += name.utf8
            bytes.append(UInt8(ascii: "{"))
            bytes += labels.bytes
            bytes += ",state=\"".utf8
            bytes += candidate.rawValue.utf8
            bytes += (candidate == state ? "\"} 1\n" : "\"} 0\n").utf8
        }
    }

    mutating func histogram(_ name: String, _ labels: Labels, _ histogram: HistogramSnapshot) {
        let buckets = name + "_bucket"
        var below = 0
        for (bound, count) in zip(histogram.bounds, histogram.counts) {
            below += count
            sample(buckets, labels.adding("le", Self.number(bound)), Double(below))
        }
        sample(buckets, labels.adding("le", "+Inf"), Double(histogram.count))
        sample(name + "_sum", labels, histogram.sum)
        sample(name + "_count", labels, Double(histogram.count))
    }

    private mutating func append(_ value: Double) {
        guard value >= 0, value < 1e15, value == value.rounded(.towardZero), value.sign == .plus else {
            bytes += Self.number(value).utf8
            return
        }
        var rest = UInt64(value)
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// A number in the text format; whole numbers have no decimal point.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }
}
