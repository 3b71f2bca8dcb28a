// Captions as libav carries them: beside a picture, as data that goes where the picture goes. They
// are taken off behind the decoder and put on in front of an encoder, for in between pictures are
// repeated and left out.
#pragma once

#include "transcoder/av.hpp"
#include "transcoder/captions.hpp"

namespace relay::transcoder {

/// Empty: the picture brought none.
Bytes take_captions(AVFrame& picture);
/// At most caption_triples_a_picture_max triples; none: the picture stays as it is.
void put_captions(AVFrame& picture, BytesView triples);

}  // namespace relay::transcoder
