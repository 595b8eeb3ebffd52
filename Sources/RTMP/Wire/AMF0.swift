/// A value of the Action Message Format, version 0, of the types that commands use.
package indirect enum AMF0: Sendable, Hashable {
    case number(Double)
    case boolean(Bool)
    case string(String)
    /// An object or an associative array. Of several members with one name the first one counts.
    case object([Member])
    case array([AMF0])
    /// Null, undefined, and types that commands do not use.
    case null

    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: AMF0

        package init(_ name: String, _ value: AMF0) {
            self.name = name
            self.value = value
        }
    }

    package var number: Double? { if case .number(let value) = self { value } else { nil } }
    package var string: String? { if case .string(let value) = self { value } else { nil } }

    package subscript(name: String) -> AMF0? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }
}

/// Reads values from the bytes of one message.
struct AMF0Reader {
    private let bytes: Bytes
    private var offset = 0
    private var values = 0

    private static let deepest = 8
    /// The largest number of values in one message, including nested ones.
    private static let maximumValues = 512

    init(_ bytes: Bytes) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func next() throws(Violation) -> AMF0 { try value(depth: 0) }

    private mutating func value(depth: Int) throws(Violation) -> AMF0 {
        values += 1
        guard depth <= Self.deepest, values <= Self.maximumValues else { throw .malformed }
        switch try take(1)[0] {
        case 0x00: return .number(Double(bitPattern: try bits64()))
        case 0x01: return .boolean(try take(1)[0] != 0)
        case 0x02: return .string(try text(try take(2).bigEndian16(at: 0)))
        case 0x03: return .object(try members(depth: depth))
        case 0x05, 0x06, 0x0D: return .null
        case 0x07:
            _ = try take(2)
            return .null
        case 0x08:
            _ = try take(4)
            return .object(try members(depth: depth))
        case 0x0A: return .array(try elements(depth: depth))
        case 0x0B:
            _ = try take(10)
            return .null
        case 0x0C: return .string(try text(Int(try take(4).bigEndian32(at: 0))))
        case 0x0F:
            _ = try take(Int(try take(4).bigEndian32(at: 0)))
            return .null
        case 0x10:
            _ = try text(try take(2).bigEndian16(at: 0))
            return .object(try members(depth: depth))
        default: throw .malformed
        }
    }

    private mutating func members(depth: Int) throws(Violation) -> [AMF0.Member] {
        var members: [AMF0.Member] = []
        while true {
            let name = try text(try take(2).bigEndian16(at: 0))
            guard offset < bytes.count else { throw .malformed }
            if name.isEmpty, bytes[offset] == 0x09 {
                offset += 1
                return members
            }
            members.append(AMF0.Member(name, try value(depth: depth + 1)))
        }
    }

    private mutating func elements(depth: Int) throws(Violation) -> [AMF0] {
        let count = try take(4).bigEndian32(at: 0)
        guard count <= Self.maximumValues else { throw .malformed }
        var elements: [AMF0] = []
        for _ in 0..<count { elements.append(try value(depth: depth + 1)) }
        return elements
    }

    private mutating func take(_ count: Int) throws(Violation) -> Bytes {
        guard count <= bytes.count - offset else { throw .malformed }
        defer { offset += count }
        return Bytes(rebasing: bytes[offset..<offset + count])
    }

    private mutating func bits64() throws(Violation) -> UInt64 {
        let bytes = try take(8)
        return UInt64(bytes.bigEndian32(at: 0)) << 32 | UInt64(bytes.bigEndian32(at: 4))
    }

    private mutating func text(_ count: Int) throws(Violation) -> String {
        String(decoding: try take(count), as: UTF8.self)
    }
}

extension AMF0 {
    /// Appends the encoded value.
    func write(to out: inout [UInt8]) {
        switch self {
        case .number(let value):
            out.append(0x00)
            out.appendBigEndian(value.bitPattern)
        case .boolean(let value): out += [0x01, value ? 1 : 0]
        case .string(let text):
            out.append(0x02)
            Self.write(text, to: &out)
        case .object(let members):
            out.append(0x03)
            for member in members {
                Self.write(member.name, to: &out)
                member.value.write(to: &out)
            }
            out += [0, 0, 0x09]
        case .array(let elements):
            out.append(0x0A)
            out.appendBigEndian(UInt32(elements.count))
            for element in elements { element.write(to: &out) }
        case .null: out.append(0x05)
        }
    }

    private static func write(_ text: String, to out: inout [UInt8]) {
        let bytes = text.utf8.prefix(Int(UInt16.max))
        out.appendBigEndian(UInt16(bytes.count))
        out += bytes
    }
}
