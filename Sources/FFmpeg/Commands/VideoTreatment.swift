/// What an encoder does with the video.
package enum VideoTreatment: Sendable {
    case copy
    case encode(VideoSettings, with: any EncoderRecipe)
}
