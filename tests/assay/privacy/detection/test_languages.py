"""Texts in a language that the detectors do not know are told from those that they do."""

import pytest

from assay.privacy.detection.languages import foreign, unread

ALL = ("en", "es", "fr", "de", "it", "pt", "nl")

FOREIGN = {
    "Polish": "Dzień dobry, w zeszłym tygodniu zamówiłam u państwa czajnik elektryczny, ale do tej pory nie dostałam "
    "żadnej wiadomości o wysyłce. Bardzo proszę o sprawdzenie, co się dzieje z moją paczką, bo to miał być prezent.",
    "Turkish": "Merhaba, geçen hafta sitenizden bir çanta sipariş ettim fakat gelen ürün benim istediğim renkte "
    "değildi. Kutunun içinden daha küçük bir çanta geldi ve rengi de fotoğraftakinden çok daha koyu bir renkti.",
    "Vietnamese": "Xin chào, tuần trước tôi có đặt mua một chiếc máy xay sinh tố trên trang web của các bạn nhưng đến "
    "hôm nay vẫn chưa nhận được hàng. Tôi đã gọi điện ba lần mà không có ai trả lời tôi một cách rõ ràng.",
    "Swedish": "Hej, jag beställde en jacka från er butik för två veckor sedan men paketet har fortfarande inte kommit "
    "fram till mig. På spårningssidan står det bara att försändelsen är på väg, och det har den gjort länge.",
    "Czech": "Dobrý den, před deseti dny jsem si u vás objednal stolní lampu, ale dodnes jsem nedostal žádnou zprávu o "
    "tom, kdy bude doručena. Podle potvrzení měla přijít nejpozději ve středu, a nikdo se mi zatím neozval.",
    "Romanian": "Bună ziua, am comandat acum două săptămâni o pereche de pantofi și încă nu am primit nimic, deși "
    "banii au fost luați din cont imediat. Am încercat să vorbesc cu cineva la telefon, dar trebuie să mai aștept.",
    "Indonesian": "Selamat pagi, saya sudah memesan sebuah tas dari toko kalian minggu lalu tetapi sampai sekarang "
    "barangnya belum juga datang. Waktu saya lihat di halaman pelacakan, statusnya masih sama sejak kemarin.",
    "Danish": "Hej, jeg købte en støvsuger hos jer for tre uger siden, og nu er den allerede holdt op med at virke. "
    "Den lugter brændt, når jeg tænder for den, og den laver en meget mærkelig lyd, så jeg vil have den byttet.",
    "Finnish": "Hei, tilasin teiltä viime viikolla uuden puhelimen kuoren, mutta sain aivan väärän värisen tuotteen. "
    "Haluaisin vaihtaa sen siihen, jonka alun perin tilasin, tai vaihtoehtoisesti saada rahani takaisin tilille.",
    "Hungarian": "Jó napot kívánok, két hete rendeltem önöktől egy kávéfőzőt, de azóta sem érkezett meg, és senki nem "
    "tud semmit mondani róla. A futár azt írta, hogy nem talált otthon, pedig egész nap itthon voltam és vártam.",
    "Croatian": "Dobar dan, prije tri tjedna naručila sam kod vas haljinu koja mi je trebala za vjenčanje, ali paket "
    "još uvijek nije stigao. Na stranici za praćenje piše da je pošiljka vraćena, a nitko me nije nazvao.",
    "Swahili": "Habari, niliagiza viatu kutoka duka lenu wiki mbili zilizopita lakini mpaka leo sijapata mzigo wangu "
    "wala taarifa yoyote. Nimejaribu kupiga simu mara nyingi lakini hakuna mtu anayepokea, naomba msaada wenu.",
}

READ = {
    "es": "Buenos días, hace dos semanas compré una silla en su tienda y todavía no me ha llegado nada a casa.",
    "pt": "Bom dia, comprei há duas semanas uma cadeira na vossa loja e até hoje ainda não recebi nada em casa.",
    "fr": "Bonjour, j'ai commandé une chaise dans votre magasin il y a deux semaines et je n'ai toujours rien reçu.",
    "de": "Guten Tag, vor zwei Wochen habe ich in Ihrem Laden einen Stuhl gekauft und bis heute ist nichts da.",
    "it": "Buongiorno, due settimane fa ho comprato una sedia nel vostro negozio e non mi è ancora arrivato niente.",
    "nl": "Goedemorgen, twee weken geleden heb ik in jullie winkel een stoel gekocht en er is nog niets aangekomen.",
}

READ_BY_ALL = "Dutch, English, French, German, Italian, Portuguese and Spanish"

ENGLISH = [
    "how do i get a refund for a direct debit payment i didn't make",
    "Pls chek order BX-55120-K asap, paid wiht card, no recpt, no parcl, nothing since mon",
    "Regards\nWojciech Brzęczyszczykiewicz\nul. Piękna 12/4\n00-549 Warszawa\nPolska\n+48 22 555 01 99",
    "My name is Nguyễn Thị Hồng Nhung and Trần Văn Đức from Đà Nẵng, Lê Lợi street, signed for it",
    "error: ECONNREFUSED 127.0.0.1:5432 at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1278:16)",
    "sku qty total AB-1 2 19.99 CD-2 1 5.00 EF-3 7 0.50 shipping std carrier dpd zone eu vat incl",
    "ok",
    "",
]


@pytest.mark.parametrize("language", FOREIGN)
def test_a_paragraph_in_another_language_is_told(language: str):
    """Names in it would pass the tagger unseen."""
    reason = unread(FOREIGN[language], ALL)

    assert reason is not None
    assert reason.format("completion").startswith(f"completion is in {language}, but the detectors are to read Dutch,")


@pytest.mark.parametrize("language", READ)
def test_the_recipes_languages_pass_and_others_of_the_seven_do_not(language: str):
    """A recipe may say that its texts are in English only."""
    assert unread(READ[language], ALL) is None
    assert foreign(READ[language], ("en",)) == language


@pytest.mark.parametrize("text", ENGLISH)
def test_short_misspelt_english_full_of_names_and_codes_passes(text: str):
    """A text set aside is a record lost."""
    assert unread(text, ALL) is None
    assert unread(text, ("en",)) is None


def test_one_foreign_paragraph_among_english_ones_is_told():
    """As a whole the text would pass for English."""
    english = "I have written to you before and nobody has answered me, so please tell me what I should do now. " * 4

    assert unread(f"{english}\n\n{FOREIGN['Polish']}", ALL) == (
        "a paragraph of {} is in Polish, but the detectors are to read Dutch, English, French, German, Italian, "
        "Portuguese and Spanish"
    )


def test_masking_changes_no_judgement():
    """A record that was read must not be refused once its names are placeholders, nor the reverse."""
    named = "Proszę zwrócić pieniądze, bo Jan Nowak i Ewa Lis (ewa@example.org) do tej pory nie dostali żadnej paczki."
    masked = "Proszę zwrócić pieniądze, bo [PERSON_1] i [PERSON_2] ([EMAIL_1]) do tej pory nie dostali żadnej paczki."
    spanish = "Please tell Juan Carlos de la Fuente and María José that the parcel for [PERSON_1] was left outside."

    assert foreign(named, ALL) == foreign(masked, ALL) == "pl"
    assert unread(spanish, ALL) is None


def test_a_reason_holds_nothing_of_the_text_and_one_place_for_a_name():
    """It is filed and shown."""
    reason = unread(FOREIGN["Turkish"], ("en",))

    assert reason == "{} is in Turkish, but the detectors are to read English only"


@pytest.mark.parametrize("language", FOREIGN)
def test_a_passage_within_english_is_told(language: str):
    """Ten words in the midst of a letter, in one paragraph with it, and in small letters throughout."""
    english = "I am writing about my last order, which has not arrived yet, and I would like to know what to do"
    words = FOREIGN[language].lower().split()
    text = f"{english}, {' '.join(words[5:17])}, and this is all that I wanted to say to you about it, thank you"

    assert unread(text, ALL) == f"a passage of {{}} is in {language}, but the detectors are to read {READ_BY_ALL}"


def test_an_address_in_polish_behind_english_words_is_told():
    """The name of the street and of the town would pass the tagger."""
    english = "Hello, I have been a customer of yours for many years and I am writing to you because of the parcel that"
    text = f"{english} mieszkam w Szczebrzeszynie przy ulicy Kwiatowej i proszę o zwrot pieniędzy na konto"

    assert unread(text, ALL) is not None
    assert unread(text.removeprefix(english), ALL) is not None


@pytest.mark.parametrize(
    "text",
    ["Proszę o zwrot pieniędzy na moje konto", "Missä minun tilaukseni on nyt menossa oikein"],
)
def test_a_few_words_that_tell_clearly_are_enough(text: str):
    """Six and more."""
    assert unread(text, ALL) is not None


@pytest.mark.parametrize(
    "text",
    [
        "please send it to ul. Miła 12 apt 4, Rzeszów, it is the house with the green door",
        "it arrived at Trg Revolucije 8, Ljubljana, last night and nobody was at home to take it",
        "tracking dpd 0345 kurier paczkomat status delayed, expected tue, now wed, still at hub leeds, eta thu pm",
    ],
)
def test_an_address_abroad_in_an_english_sentence_passes(text: str):
    """A few foreign words are no passage."""
    assert unread(text, ALL) is None
