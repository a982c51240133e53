"""What a column measures and in which unit, by its name:
for first guesses that a person corrects.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Words of columns in English, Indonesian, German, Dutch, French, Spanish and Swedish, and what
# services call them. Two words are looked for side by side, so they come before each of them alone.
_WORDS = {
    "wind_direction": (
        "wind dir", "wind direction", "winddir", "winddirection", "windrichtung", "windrichting",
        "vindriktning", "arah angin", "direction vent", "direction du vent", "direccion viento",
        "direccion del viento", "wd", "wdir", "wdr", "drct", "dd",
    ),
    "wind_speed": (
        "wind speed", "wind spd", "wind velocity", "windspeed", "windspd", "windgeschwindigkeit",
        "windsnelheid", "vindhastighet", "kecepatan angin", "kec angin", "vitesse vent",
        "velocidad viento", "velocidad del viento", "ws", "wspd", "sknt", "ff", "wind", "angin",
        "vent", "viento",
    ),
    "humidity": (
        "rel hum", "rh", "hum", "humidity", "humid", "relh", "relhum", "feuchte", "luftfeuchte",
        "luftfeuchtigkeit", "feuchtigkeit", "relative feuchte", "luftfuktighet", "vochtigheid",
        "luchtvochtigheid", "kelembapan", "kelembaban", "lembab", "humedad", "humidite", "rf",
    ),
    "pressure": (
        "pressure", "press", "pres", "baro", "barometer", "bp", "luftdruck", "druck", "luchtdruk",
        "lufttryck", "tekanan", "presion", "pression", "slp", "mslp", "qnh", "qfe", "bar", "pp",
        "patm",
    ),
    "rainfall": (
        "rain", "rainfall", "precip", "precipitation", "prcp", "niederschlag", "regen", "neerslag",
        "neerslagsom", "nederbord", "nederbordsmangd", "hujan", "curah hujan", "ch", "rr", "pluie",
        "lluvia", "precipitacion", "p01i", "rws",
    ),
    "par_sensor": ("par", "ppfd", "photosynthetically", "fotosintesis", "quantum"),
    "solar_radiation": (
        "solar", "radiation", "globalstrahlung", "strahlung", "globale straling", "straling",
        "zonnestraling", "radiasi", "penyinaran", "srad", "slrad", "slr", "slrw", "sr", "ghi",
        "irradiance", "irradians", "globalstralning", "rayonnement", "radiacion", "solarradiation",
        "glorad", "rg",
    ),
    "temperature": (
        "temp", "temperature", "temperatur", "temperatuur", "temperatura", "suhu",
        "lufttemperatur", "luchttemperatuur", "lufttemp", "airtemp", "airtc", "airtf", "airt",
        "air tc", "tair", "tmpf", "tmpc", "outtemp", "ta", "tt", "t2m", "t",
    ),
}  # fmt: skip
KNOWN = frozenset(_WORDS)
# A column with one of these measures something else.
_OTHERS = {
    "": {
        "max", "min", "maximum", "minimum", "hi", "high", "low", "lo", "std", "stdev", "sd",
        "indoor", "inside", "innen", "binnen", "dalam", "ruangan", "interieur", "interior",
        "battery", "batt", "volt", "voltage", "logger", "panel", "case", "flag", "qc", "quality",
        "kvalitet", "qualitat", "code", "count", "attributes", "qn", "smx", "smn", "tmx", "tmn",
    },
    "temperature": {
        "in", "dew", "dewpoint", "dewpt", "dewp", "taupunkt", "dauwpunt", "embun", "wet", "bulb",
        "chill", "heat", "index", "feels", "apparent", "soil", "boden", "tanah", "bodem", "sol",
        "suelo", "ground", "water", "wasser", "sea", "laut", "surface", "td", "felt", "gefuhlte",
        "laub", "leaf", "ptemp", "daggpunkt", "rosee", "rocio", "thw", "thsw", "humidex",
    },
    "humidity": {"in", "soil", "leaf", "boden", "tanah", "moisture"},
    "pressure": {"vapor", "vapour", "dampf", "uap", "tendency", "tendensi", "water"},
    "rainfall": {"event", "intensity", "time", "duration", "dau", "ind", "type", "probability"},
    "wind_speed": {
        "gust", "gusts", "boe", "bo", "boen", "rukwind", "windstoot", "hembusan", "rafale",
        "rafaga", "run", "chill", "dir", "direction", "samp", "tx", "byvind", "angle",
    },
    "wind_direction": {"gust", "gusts", "std", "boe"},
    "solar_radiation": {"net", "longwave", "lw", "uv", "energy", "reflected", "diffuse", "up", "duration",
    "hours", "bar"},
    "par_sensor": set(),
}  # fmt: skip
# What compounds begin with that measure something else: Bodentemperatur, binnentemperatuur.
_BEGINNINGS = ("innen", "binnen", "boden", "bodem", "taupunkt", "dauwpunt", "wasser", "water", "laub")
_LONG = 5  # letters, from which a word may be told inside a longer one
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_AFTER_COMMA = re.compile(r",\s*([^,()\[\]]+)")
# Names that stand for a unit as well.
_UNITS_OF_NAMES = {
    "tmpf": "degF", "tmpc": "degC", "sknt": "knot", "p01i": "inch", "p01m": "mm", "airtc": "degC",
    "airtf": "degF", "air tc": "degC", "air tf": "degF",
}  # fmt: skip
# Units as a part of a name with underscores.
_IN_NAMES = {
    "degc": "degC", "deg_c": "degC", "c": "degC", "degf": "degF", "deg_f": "degF", "f": "degF",
    "pct": "percent", "percent": "percent", "hpa": "hPa", "kpa": "kPa", "pa": "Pa", "mbar": "mbar",
    "mb": "mbar", "inhg": "inHg", "mmhg": "mmHg", "mm": "mm", "in": "inch", "inch": "inch",
    "ms": "m/s", "m_s": "m/s", "mps": "m/s", "kmh": "km/h", "km_h": "km/h", "kph": "km/h",
    "mph": "mph", "kt": "knot", "kts": "knot", "knots": "knot", "deg": "degree", "wm2": "W/m^2",
    "w_m2": "W/m^2",
}  # fmt: skip


@dataclass(frozen=True)
class NameMeaning:
    """What a name says: the sensor, and what may be its unit, the likely one first."""

    sensor: str
    units: tuple[str, ...]


def meaning(name: str) -> NameMeaning | None:
    """Return what a column measures; None when its name says no default sensor."""
    bare = _IN_BRACKETS.sub(" ", name)
    tokens = [_words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare)), _words(bare)]
    for sensor, known in _WORDS.items():
        word = next((word for word in known if any(_said(word, words) for words in tokens)), None)
        if word is not None:
            others = _OTHERS[""] | _OTHERS[sensor]
            if any(token in others or token.startswith(_BEGINNINGS) for words in tokens for token in words):
                return None
            return NameMeaning(sensor, (*_units_in(name), *([_UNITS_OF_NAMES[word]] if word in _UNITS_OF_NAMES else [])))
    return None


def _said(word: str, words: list[str]) -> bool:
    """Return whether words say another one, which may end a compound: Aussentemperatur."""
    return f" {word} " in f" {' '.join(words)} " or (len(word) >= _LONG and any(each.endswith(word) for each in words))


def _units_in(name: str) -> list[str]:
    """Return possible units in a name: ``Temp (°C)``, ``Temp, °C``, ``air_temp_degC``."""
    found = [part.strip() for pattern in (_AFTER_COMMA, _IN_BRACKETS) for part in pattern.findall(name)]
    parts = name.lower().split("_")
    ends = ["_".join(parts[-2:]), parts[-1]] if len(parts) > 2 else parts[-1:]
    inner = [part for part in parts[1:-1] if len(part) > 1]
    if len(parts) > 1:
        found += [_IN_NAMES[part] for part in (*ends, *inner) if part in _IN_NAMES]
    return [unit for unit in found if unit]


def _words(name: str) -> list[str]:
    """Small letters without accents, split at all other signs; numbers left out."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode().lower()
    parts = (part.rstrip("0123456789") for part in re.split(r"[^a-z0-9]+", plain) if part not in _UNITS_OF_NAMES)
    return [word for word in re.split(r"[^a-z0-9]+", plain) if word in _UNITS_OF_NAMES] + [part for part in parts if part]
