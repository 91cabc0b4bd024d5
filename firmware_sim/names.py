"""Invented names: villages out of two syllables, people out of a surname and what neighbours call them.

No name here is meant to be anybody's; a village that exists is a coincidence of its two characters.
"""

from random import Random
from typing import Final, NamedTuple

# fmt: off
FIRST: Final = (
    "柳liu", "禾he", "青qing", "白bai", "石shi", "竹zhu", "松song", "梅mei",
    "桃tao", "杨yang", "沙sha", "黄huang", "红hong", "长chang", "大da", "小xiao",
    "上shang", "下xia", "东dong", "西xi", "南nan", "北bei", "金jin", "银yin",
    "龙long", "凤feng", "云yun", "月yue", "双shuang", "新xin",
)
SECOND: Final = (
    "潭tan", "田tian", "桥qiao", "塘tang", "坪ping", "冲chong", "湾wan", "溪xi",
    "岭ling", "坡po", "井jing", "洲zhou", "林lin", "山shan", "源yuan", "口kou",
    "坝ba", "屋wu", "洞dong", "港gang", "渡du", "岩yan", "庄zhuang", "泉quan",
)
SURNAMES: Final = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
LANDMARKS: Final = (
    "村部东侧", "小学门口", "桥头", "老樟树下", "祠堂边", "卫生室旁", "水井边", "晒谷坪",
    "篮球场边", "小卖部旁", "路口北侧", "变压器下", "茶园边", "文化广场", "供销社旁", "河堤上",
)
# fmt: on
CLEANERS: Final = ("大姐", "师傅", "大哥", "嫂子")


class PlaceName(NamedTuple):
    """A place's name of two characters and the same in Latin letters, which serves as its id."""

    name: str
    latin: str


def places(count: int, rng: Random) -> tuple[PlaceName, ...]:
    """``count`` different places in an order of the generator's choosing; there are 720 at most.

    Raises ``ValueError`` if more are asked for.
    """
    every = [PlaceName(a[0] + b[0], a[1:] + b[1:]) for a in FIRST for b in SECOND]
    if count > len(every):
        raise ValueError(f"{count} places are more than the {len(every)} names that can be made")
    return tuple(rng.sample(every, count))


def called(style: str, rng: Random) -> str:
    """A person as neighbours call them: a surname and ``style``, as in 李大姐."""
    return rng.choice(SURNAMES) + style
