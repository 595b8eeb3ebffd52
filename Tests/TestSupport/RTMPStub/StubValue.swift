/// A value of AMF0, the encoding of commands.
package enum StubValue: Sendable, Hashable {
    case number(Double)
    case boolean(Bool)
    case text(String)
    case object([String: StubValue])
    case array([StubValue])
    /// Null, undefined, or a date.
    case null

    package var text: String? { if case .text(let text) = self { text } else { nil } }
    package var number: Double? { if case .number(let number) = self { number } else { nil } }

    /// The value of a name in an object.
    package subscript(name: String) -> StubValue? { if case .object(let fields) = self { fields[name] } else { nil } }

    // MARK: Bytes

    /// The bytes of the value. Names are in alphabetical order.
    var bytes: [UInt8] {
        switch self {
        case .number(let number): [0] + number.bitPattern.bigEndianBytes
        case .boolean(let isTrue): [1, isTrue ? 1 : 0]
        case .text(let text): [2] + Self.short(text)
        case .object(let fields):
            [3] + fields.sorted { $0.key < $1.key }.flatMap { Self.short($0.key) + $0.value.bytes } + [0, 0, 9]
        case .array(let values): [10] + UInt32(values.count).bigEndianBytes + values.flatMap(\.bytes)
        case .null: [5]
        }
    }

    private static func short(_ text: String) -> [UInt8] { UInt16(text.utf8.count).bigEndianBytes + Array(text.utf8) }

    /// Reads values to the end of the bytes.
    ///
    /// - Throws: `Failed` if a value is cut, or of a type that commands do not have.
    static func decode(_ bytes: [UInt8]) throws -> [StubValue] {
        var rest = bytes[...]
        var values: [StubValue] = []
        while !rest.isEmpty { values.append(try value(&rest)) }
        return values
    }

    private static func value(_ rest: inout ArraySlice<UInt8>) throws -> StubValue {
        switch try take(1, of: &rest).first {
        case 0: return .number(Double(bitPattern: UInt64(try integer(8, of: &rest))))
        case 1: return .boolean(try integer(1, of: &rest) != 0)
        case 2: return .text(try text(try integer(2, of: &rest), of: &rest))
        case 3: return .object(try fields(&rest))
        case 5, 6: return .null
        case 8:
            _ = try take(4, of: &rest)
            return .object(try fields(&rest))
        case 10: return .array(try (0..<(try integer(4, of: &rest))).map { _ in try value(&rest) })
        case 11:
            _ = try take(10, of: &rest)
            return .null
        case 12: return .text(try text(try integer(4, of: &rest), of: &rest))
        case let type: throw Failed("a value of the type \(type ?? 0) in a command")
        }
    }

    private static func fields(_ rest: inout ArraySlice<UInt8>) throws -> [String: StubValue] {
        var fields: [String: StubValue] = [:]
        while true {
            let name = try text(try integer(2, of: &rest), of: &rest)
            if name.isEmpty, rest.first == 9 {
                rest.removeFirst()
                return fields
            }
            fields[name] = try value(&rest)
        }
    }

    private static func text(_ count: UInt64, of rest: inout ArraySlice<UInt8>) throws -> String {
        String(decoding: try take(Int(count), of: &rest), as: UTF8.self)
    }

    private static func integer(_ count: Int, of rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        try take(count, of: &rest).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func take(_ count: Int, of rest: inout ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw Failed("a command that is cut") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}

extension FixedWidthInteger {
    var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
    var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
