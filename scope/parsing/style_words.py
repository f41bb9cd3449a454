"""The closed lists of styles, mediums, artists and tags that prompts name."""

#: Tags that praise a picture or name its size, and show nothing.
QUALITY_TAGS = (
    "masterpiece|masterwork|best quality|high quality|highest quality|top quality|good quality|great quality|"
    "high-quality|amazing quality|premium quality|high res|high-res|highres|absurdres|high resolution|"
    "high-resolution|hi-res|high definition|high-definition|2k|4k|8k|16k|32k|hd|uhd|4k uhd|8k uhd|full hd|ultra hd|"
    "ultra-hd|resolution|award winning|award-winning|trending on artstation|artstation|trending|deviantart|pixiv|"
    "cgsociety|featured on pixiv|trending on deviantart|trending on pixiv|artstation hq|professional|"
    "very aesthetic|newest|score 9|rating safe|solo"
).split("|")

STYLES = (
    "pixel art|digital art|concept art|line art|vector art|clip art|pop art|3-d|3d|3-d render|3d render|watercolor|"
    "watercolour|watercolor painting|oil painting|oil on canvas|pencil sketch|pencil drawing|charcoal|"
    "charcoal drawing|ink drawing|anime|manga|cartoon|comic|photorealistic|photo-realistic|hyperrealistic|"
    "realistic|cinematic|flat design|low poly|isometric|minimalist|minimalistic|vintage|impressionist|"
    "impressionism|surrealism|surreal|cubism|cubist|art deco|art nouveau|ukiyo-e|claymation|origami|cyberpunk|"
    "steampunk|vaporwave|studio lighting|soft lighting|black and white|monochrome|sepia|highly detailed|intricate|"
    "hdr|octane render|unreal engine|sharp focus|flat|illustration|digital painting|digital illustration|"
    "photograph|photo|painting|sketch|drawing|collage|mosaic|flat illustration|flat vector|photorealism|"
    "ultra realistic|ultra-realistic|ultra detailed|ultra-detailed|hyper realistic|hyperdetailed|"
    "extremely detailed|very detailed|detailed|cinematic lighting|dramatic lighting|volumetric lighting|"
    "natural lighting|rim lighting|backlit|ray tracing|storybook illustration|children's book illustration|vector|"
    "vector graphics|ascii art|voxel art|noir|film noir|baroque|rococo|gothic|retro|art brut|expressionism|"
    "abstract|pointillism|realism|hyperrealism|minimalism|fauvism|bauhaus|psychedelic|fantasy art|matte painting"
).split("|")
#: What pictures are made with: "a cat in oil".
MEDIA = (
    "oil|oils|crayon|crayons|acrylic|acrylics|gouache|pastel|pastels|ink|watercolors|watercolours|pencil|"
    "colored pencil|colored pencils|coloured pencils|mixed media|graffiti|felt|tempera|chalk"
).split("|")
#: Styles that a thing may be said to be drawn in before its noun: "a pixel art cat".
STYLES_BEFORE_NOUNS = (
    "pixel art|pixel-art|anime|manga|cartoon|watercolor|watercolour|claymation|low poly|low-poly|ukiyo-e|line art|"
    "vector art|ascii art|voxel|chibi|pop art|clip art"
).split("|")
#: ... or with "style": "a vaporwave-style sunset".
STYLES_WITH_STYLE = [
    *STYLES_BEFORE_NOUNS,
    *"vaporwave|cyberpunk|impressionist|cubist|comic book|storybook|disney|pixar|ghibli|studio ghibli|lego".split("|"),
]
#: ... but not before these, with which they are the name of a thing.
NAMED_AFTER_STYLES = (
    "character characters series show shows strip strips convention figurine figurines paint paints paper palette "
    "brush set pencils network film movie channel book books supplies and or style of in on with by from at is"
).split()
#: Painters and illustrators whom prompts name for their style.
ARTISTS = (
    "picasso|monet|claude monet|van gogh|vincent van gogh|da vinci|leonardo da vinci|rembrandt|dali|dalí|"
    "salvador dali|salvador dalí|klimt|matisse|cézanne|cezanne|hokusai|hiroshige|warhol|andy warhol|banksy|"
    "basquiat|kandinsky|klee|magritte|mondrian|munch|pollock|raphael|renoir|rothko|seurat|titian|turner|vermeer|"
    "caravaggio|botticelli|bosch|hieronymus bosch|bruegel|brueghel|degas|delacroix|dürer|escher|m.c. escher|"
    "frida kahlo|goya|hopper|edward hopper|manet|michelangelo|miró|modigliani|mucha|alphonse mucha|norman rockwell|"
    "o'keeffe|roy lichtenstein|keith haring|greg rutkowski|moebius|artgerm|beeple|giger|h.r. giger|miyazaki|"
    "hayao miyazaki|studio ghibli|makoto shinkai|wes anderson|tim burton|dr. seuss|bob ross|thomas kinkade|"
    "ansel adams|annie leibovitz|gustave doré|wlop|alex grey|zdzisław beksiński|beksinski|disney|pixar|loish|"
    "takashi murakami|yayoi kusama"
).split("|")
