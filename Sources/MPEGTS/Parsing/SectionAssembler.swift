/// Assembles the sections of one PID (ISO/IEC 13818-1, 2.4.4). A section may begin anywhere in a packet and continue in
/// the next one.
struct SectionAssembler {
    private var bytes: [UInt8] = []

    /// The number of bytes kept of an incomplete section.
    var count: Int { bytes.count }

    /// Takes the payload of one packet, and calls `whole` for each section that it completes.
    mutating func take(
        _ payload: UnsafePointer<UInt8>, count: Int, startsUnit: Bool, whole: (UnsafePointer<UInt8>, Int) -> Void
    ) {
        guard count > 0 else { return }
        var position = 0
        if startsUnit {
            let pointer = Int(payload[0])
            position = 1
            guard position + pointer <= count else {
                bytes.removeAll(keepingCapacity: true)
                return
            }
            if !bytes.isEmpty {
                bytes.append(contentsOf: UnsafeBufferPointer(start: payload + position, count: pointer))
                emit(whole)
            }
            bytes.removeAll(keepingCapacity: true)
            position += pointer
        } else if bytes.isEmpty {
            return
        }
        bytes.append(contentsOf: UnsafeBufferPointer(start: payload + position, count: count - position))
        emit(whole)
    }

    private mutating func emit(_ whole: (UnsafePointer<UInt8>, Int) -> Void) {
        while let first = bytes.first, first != 0xFF {
            guard bytes.count >= 3 else { return }
            let length = 3 + (Int(bytes[1] & 0x0F) << 8 | Int(bytes[2]))
            guard bytes.count >= length else { return }
            bytes.withUnsafeBufferPointer { whole($0.baseAddress!, length) }
            bytes.removeFirst(length)
        }
        bytes.removeAll(keepingCapacity: true)
    }
}
