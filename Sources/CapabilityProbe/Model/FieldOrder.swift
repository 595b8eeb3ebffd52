/// The field of an interlaced frame that is earlier than the other one.
package enum FieldOrder: String, Sendable, Hashable {
    case topFirst, bottomFirst
}
