/// Which of the two fields of an interlaced frame is earlier.
package enum FieldOrder: String, Sendable, Hashable {
    case topFirst, bottomFirst
}
